import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

interface Packed {
  readonly name: string;
  readonly filename: string;
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** What differs from the example's manifest. */
interface Differences {
  /** What is installed although the manifest does not name it. */
  readonly also?: readonly string[];
  /** What the manifest names and this workspace does not have. */
  readonly without?: readonly string[];
}

/**
 * Copies an example into a folder outside the workspace and installs what its manifest names, as npm would: packages of
 * ours from the files that `npm pack` makes of the built ones, others by links to the workspace's copies, so that nothing
 * is fetched. What no manifest names cannot be imported there.
 *
 * @param example - a folder in `examples/`
 * @returns the folder
 */
export function installPacked(
  example: string,
  { also = [], without = [] }: Differences = {},
): string {
  const project = mkdtempSync(join(tmpdir(), `multigrad-${example}-`));
  cpSync(join(root, 'examples', example), project, { recursive: true });
  const files = packInto(project);
  const queue = [...namesIn(project, true), ...also];
  for (const name of queue) {
    const target = join(project, 'node_modules', name);
    if (without.includes(name) || existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    const file = files.get(name);
    if (file === undefined) {
      symlinkSync(join(root, 'node_modules', name), target);
      continue;
    }
    mkdirSync(target);
    execFileSync('tar', ['-xzf', file, '-C', target, '--strip-components', '1']);
    queue.push(...namesIn(target, false));
  }
  return project;
}

/** The packages that npm installs for the manifest in a folder. */
function namesIn(folder: string, own: boolean): string[] {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const peers = Object.keys(manifest.peerDependencies ?? {}).filter(
    (name) => manifest.peerDependenciesMeta?.[name]?.optional !== true,
  );
  const development = own ? Object.keys(manifest.devDependencies ?? {}) : [];
  return [...Object.keys(manifest.dependencies ?? {}), ...peers, ...development];
}

/** Packs all packages of ours; returns each one's file by name. */
function packInto(project: string): Map<string, string> {
  const folder = join(project, 'packed');
  mkdirSync(folder);
  const given = ['--workspace', 'packages', '--pack-destination', folder];
  const output = execFileSync('npm', ['pack', ...given, '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 26,
  });
  const packed = Object.values(JSON.parse(output) as Record<string, Packed>);
  return new Map(packed.map(({ name, filename }) => [name, join(folder, filename)]));
}
