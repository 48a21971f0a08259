import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './run.mjs';

const root = join(import.meta.dirname, '..', '..');

/** The checkout as it is, changes included, in another folder, with the dependencies that are installed here. */
function copyCheckout(copy) {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    },
  );
  for (const file of listed.split('\0').filter(Boolean)) {
    if (!statSync(join(root, file), { throwIfNoEntry: false })?.isFile()) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  const modules = join(copy, 'node_modules');
  mkdirSync(join(modules, '@multigrad'), { recursive: true });
  for (const entry of readdirSync(join(root, 'node_modules'))) {
    if (entry !== '@multigrad' && entry !== '.cache')
      symlinkSync(join(root, 'node_modules', entry), join(modules, entry));
  }
  for (const name of readdirSync(join(copy, 'packages')))
    symlinkSync(join('..', '..', 'packages', name), join(modules, '@multigrad', name));
}

/** Attestations come from the workflow that publishes; outside of it npm refuses to make any. */
function withoutProvenance(copy, name) {
  const path = join(copy, 'packages', name, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  manifest.publishConfig.provenance = false;
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * Publishes every package as a snapshot release would: versions by changesets, a build from nothing, changeset publish.
 *
 * @param copy - an empty folder, where it happens
 * @param env - the environment of commands, with the registry in it
 * @returns the version of each package
 */
export async function publishSnapshot(copy, env) {
  copyCheckout(copy);
  const names = readdirSync(join(copy, 'packages'));
  const git = (...words) =>
    run('git', ['-c', 'user.name=rehearsal', '-c', 'user.email=rehearsal@localhost', ...words], {
      cwd: copy,
      env,
    });
  // Changesets ask git which commits they came with.
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git('commit', '--quiet', '--message=rehearsal');
  const tool = (path, ...words) =>
    run(process.execPath, [join(copy, 'node_modules', path), ...words], { cwd: copy, env });
  const changeset = '@changesets/cli/bin.js';
  await tool(changeset, 'version', '--snapshot', 'rehearsal');
  await tool('typescript/bin/tsc', '-b', ...names.map((name) => `packages/${name}`));
  for (const name of names) withoutProvenance(copy, name);
  await tool(changeset, 'publish', '--tag', 'latest', '--no-git-tag');
  return new Map(
    names.map((name) => {
      const { name: full, version } = JSON.parse(
        readFileSync(join(copy, 'packages', name, 'package.json'), 'utf8'),
      );
      return [full, version];
    }),
  );
}
