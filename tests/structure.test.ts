import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

// Every package owns the same few files and says the same things in the same places; this test keeps it so.

const root = join(import.meta.dirname, '..');
const packages = readdirSync(join(root, 'packages')).sort();

interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly sideEffects: boolean;
  readonly keywords: readonly string[];
  readonly scripts: Record<string, string>;
  readonly exports: Record<string, string | Record<string, string>>;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');
const manifestOf = (name: string): Manifest =>
  JSON.parse(read('packages', name, 'package.json')) as Manifest;

/** What a package may hold beside what it must, and why. */
const extras: Readonly<Record<string, readonly string[]>> = {
  // The sources of the wasm kernels and their build script, and of the native ones, which are built where they run.
  backends: ['kernels', 'native'],
  // The command, the font of exported pictures with its licence, and the files that `multigrad init` writes.
  cli: ['bin', 'fonts', 'templates'],
  // Recordings of spoken digits, with their licence.
  datasets: ['data'],
};
const generated = new Set(['dist', 'node_modules', '.turbo', 'CHANGELOG.md']);

describe.each(packages)('packages/%s', (name) => {
  const manifest = manifestOf(name);

  it('holds the files that every package holds, and no others', () => {
    const found = readdirSync(join(root, 'packages', name)).filter((file) => !generated.has(file));
    const expected = ['LICENSE', 'README.md', 'package.json', 'src', 'tsconfig.json'];
    expect(found.sort()).toEqual([...expected, ...(extras[name] ?? [])].sort());
    expect(readdirSync(join(root, 'packages', name, 'src'))).toContain('index.ts');
  });

  it('has the manifest that every package has', () => {
    expect(manifest).toMatchObject({
      name: `@multigrad/${name}`,
      type: 'module',
      sideEffects: false,
      scripts: { build: 'tsc -b', test: 'vitest run --root ../.. --dir .' },
    });
    expect(Object.keys(manifest.scripts)).toEqual(['build', 'test']);
    expect(manifest.description.length).toBeGreaterThan(20);
    for (const keyword of ['gradient', 'multi-objective', 'multigrad'])
      expect(manifest.keywords).toContain(keyword);
    expect(manifest.keywords).toEqual([...new Set(manifest.keywords)].sort());
  });

  it('exports sources for tests, types and modules for everybody', () => {
    const { './package.json': self, ...entries } = manifest.exports;
    expect(self).toBe('./package.json');
    expect(Object.keys(entries)).toContain('.');
    for (const [path, entry] of Object.entries(entries)) {
      const { browser, ...rest } = entry as Record<string, string>;
      expect(Object.keys(rest), path).toEqual(['@multigrad/source', 'types', 'default']);
      // What reads files has a second entry without that part, for bundlers.
      if (browser !== undefined) expect(browser).toBe('./dist/browser.js');
      const stem = rest['@multigrad/source']?.replace(/^\.\/src\//, '').replace(/\.ts$/, '');
      expect(rest).toEqual({
        '@multigrad/source': `./src/${stem}.ts`,
        types: `./dist/${stem}.d.ts`,
        default: `./dist/${stem}.js`,
      });
    }
  });

  it('extends the one tsconfig and carries the one licence', () => {
    const config = JSON.parse(read('packages', name, 'tsconfig.json')) as {
      extends: string;
      references?: { path: string }[];
    };
    expect(config.extends).toBe('../../tsconfig.base.json');
    const referenced = (config.references ?? []).map(({ path }) =>
      path.replace('../', '@multigrad/'),
    );
    const own = Object.keys(manifest.dependencies ?? {}).filter((d) => d.startsWith('@multigrad/'));
    expect(referenced.sort()).toEqual(own.sort());
    expect(read('packages', name, 'LICENSE')).toBe(read('LICENSE'));
  });

  it('has a README with the sections that every README has', () => {
    const readme = read('packages', name, 'README.md');
    expect(readme.startsWith(`# @multigrad/${name}\n`)).toBe(true);
    const sections = [...readme.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    expect(sections).toEqual(['Install', 'Use', 'How it works', 'Reference', 'Licence']);
  });

  it('says how to install what its examples import', () => {
    const readme = read('packages', name, 'README.md');
    const [, install = ''] = /^## Install$([\s\S]*?)^## Use$/m.exec(readme) ?? [];
    const installed = [...install.matchAll(/^npm install ([^#\n]+)/gm)]
      .flatMap(([, words]) => words!.trim().split(' '))
      .map((word) => word.replace(/(?<=.)@.*$/, ''));
    expect(installed).toContain(manifest.name);
    for (const [, code] of readme.matchAll(/^```[jt]s$([\s\S]*?)^```$/gm)) {
      for (const [, imported] of code!.matchAll(/^(?:import|\} from) [^']*'([^'.][^']*)'/gm)) {
        if (imported!.startsWith('node:')) continue;
        const [scope, part] = imported!.split('/');
        expect(installed).toContain(scope!.startsWith('@') ? `${scope}/${part}` : scope);
      }
    }
  });

  it('depends only downwards', () => {
    const { dependencies = {}, peerDependencies = {} } = manifest;
    const all = Object.keys({ ...dependencies, ...peerDependencies });
    // The union package would be a second, larger copy of what the parts bring.
    expect(all).not.toContain('@tensorflow/tfjs');
    const own = all.filter((dependency) => dependency.startsWith('@multigrad/'));
    if (name === 'core') expect(own).toEqual([]);
    else if (name !== 'cli') expect(own).toEqual(['@multigrad/core']);
    if (name.startsWith('strategy-')) expect(all).toEqual(['@multigrad/core']);
    for (const [dependency, range] of Object.entries(dependencies)) {
      if (!dependency.startsWith('@multigrad/'))
        expect(range, dependency).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });
});

it('has manifests that agree with the root about repository, licence, engines and what is shipped', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts', 'manifests', 'manifests.mjs'), '--check'],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

it('names every package in the README, the plan of the house and the build', () => {
  const readme = read('README.md');
  const plan = read('CONTRIBUTING.md');
  for (const name of packages) {
    expect(readme, name).toContain(`@multigrad/${name}`);
    expect(plan, name).toContain(name.startsWith('strategy-') ? 'strategy-*/' : `${name}/`);
  }
});

it('runs actions of others at one commit each, and says which version that is', () => {
  const folder = join(root, '.github', 'workflows');
  const used = readdirSync(folder).flatMap((file) =>
    [...read('.github', 'workflows', file).matchAll(/^\s*(?:- )?uses:.*$/gm)].map(([line]) =>
      line.trim().replace(/^- /, ''),
    ),
  );
  expect(used.length).toBeGreaterThan(0);
  for (const line of used) {
    expect(line).toMatch(/^uses: [\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  }
  expect(new Set(used.map((line) => line.split('@')[0])).size).toBe(new Set(used).size);
});

describe('built-in experiments', () => {
  const folder = join(root, 'packages', 'cli', 'src', 'experiments', 'builtin');
  const files = readdirSync(folder).filter((file) => /(?<!\.test)\.ts$/.test(file));

  it('are there', () => expect(files.length).toBeGreaterThan(5));

  it.each(files)('%s imports what a user can import, and other built-in experiments', (file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const imports = [...text.matchAll(/^(?:import|\}) .*?'([^']+)';$/gm)].map(([, name]) => name!);
    const published =
      /^@multigrad\/(?:core|datasets|experiment|models)(?:\/strategy)?$|^@tensorflow\//;
    const foreign = imports.filter((name) => !published.test(name) && !name.startsWith('./'));
    expect(foreign).toEqual([]);
  });
});
