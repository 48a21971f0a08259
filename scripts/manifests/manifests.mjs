// npm run manifests: what follows from the root's package.json and the packages' versions, written wherever else it is
// said. To move the repository, edit `repository` there and run it. With --check it writes nothing, and fails where it
// would have.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { completed, pageOf, withRanges } from './shared-fields.mjs';

const root = join(import.meta.dirname, '..', '..');
const { check: onlyCheck } = parseArgs({ options: { check: { type: 'boolean' } } }).values;
const read = (path) => readFileSync(join(root, path), 'utf8');
const readJson = (path) => JSON.parse(read(path));

const changed = [];
async function write(path, text) {
  const options = await resolveConfig(join(root, path));
  const formatted = await format(text, { ...options, filepath: path });
  if (formatted === read(path)) return;
  if (!onlyCheck) writeFileSync(join(root, path), formatted);
  changed.push(path);
}

const rootManifest = readJson('package.json');
const names = readdirSync(join(root, 'packages')).sort();
const manifests = new Map(names.map((name) => [name, readJson(`packages/${name}/package.json`)]));
const versions = new Map(Array.from(manifests.values(), ({ name, version }) => [name, version]));

for (const [name, manifest] of manifests) {
  const { dependencies = {} } = manifest;
  const written = { ...manifest, dependencies: withRanges(dependencies, versions) };
  if (manifest.dependencies === undefined) delete written.dependencies;
  await write(
    `packages/${name}/package.json`,
    JSON.stringify(completed(rootManifest, name, written)),
  );
}

// What is here but not published depends on what is here now.
const beside = readdirSync(join(root, 'examples')).map((name) => `examples/${name}`);
for (const folder of [...beside, 'bench', 'docs', 'tests/support']) {
  const path = `${folder}/package.json`;
  const manifest = readJson(path);
  for (const field of ['dependencies', 'devDependencies', 'peerDependencies']) {
    if (manifest[field]) manifest[field] = withRanges(manifest[field], versions);
  }
  await write(path, JSON.stringify(manifest));
}

// npm run build compiles all packages in one process, from this list.
await write(
  'tsconfig.packages.json',
  JSON.stringify({ files: [], references: names.map((name) => ({ path: `./packages/${name}` })) }),
);

const citation = read('CITATION.cff')
  .replace(/^version: .*$/m, `version: ${versions.get('@multigrad/core')}`)
  .replace(/^repository-code: .*$/m, `repository-code: ${pageOf(rootManifest)}`);
await write('CITATION.cff', citation);

if (changed.length === 0) {
  console.log('Everything says what the root manifest says.');
} else if (onlyCheck) {
  console.error(`npm run manifests would change ${changed.join(', ')}.`);
  process.exitCode = 1;
} else {
  console.log(`Wrote ${changed.join(', ')}.`);
}
