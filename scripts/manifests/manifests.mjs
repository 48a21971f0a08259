// npm run manifests: what follows from the root's package.json, written wherever else it is said. To move the
// repository, edit `repository` there and run it. With --check it writes nothing, and fails where it would have.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { completed } from './shared-fields.mjs';

const root = join(import.meta.dirname, '..', '..');
const read = (...path) => readFileSync(join(root, ...path), 'utf8');
const rootManifest = JSON.parse(read('package.json'));

const { check: onlyCheck } = parseArgs({ options: { check: { type: 'boolean' } } }).values;

const changed = [];
async function write(path, text) {
  const options = await resolveConfig(join(root, path));
  const formatted = await format(text, { ...options, filepath: path });
  if (formatted === read(path)) return;
  if (!onlyCheck) writeFileSync(join(root, path), formatted);
  changed.push(path);
}

for (const name of readdirSync(join(root, 'packages')).sort()) {
  const path = `packages/${name}/package.json`;
  const manifest = completed(rootManifest, name, JSON.parse(read(path)));
  await write(path, JSON.stringify(manifest));
}
if (changed.length === 0) {
  console.log('Everything says what the root manifest says.');
} else if (onlyCheck) {
  console.error(`npm run manifests would change ${changed.join(', ')}.`);
  process.exitCode = 1;
} else {
  console.log(`Wrote ${changed.join(', ')}.`);
}
