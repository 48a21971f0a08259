// npm run api:update writes the public surface of every package to api/, and npm run api:check fails where it has
// changed since: what a change means for users so shows in review. Needs built packages.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeReports } from './reports.mjs';

const root = join(import.meta.dirname, '..', '..');
const kept = join(root, 'api');
const { update } = parseArgs({ options: { update: { type: 'boolean' } } }).values;

const read = (folder) =>
  new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));

/** The lines of one text that the other has not, marked. */
function linesBeside(text, other, mark) {
  const others = new Set(other.split('\n'));
  return text
    .split('\n')
    .filter((line) => !others.has(line))
    .map((line) => `  ${mark} ${line}`);
}

const made = mkdtempSync(join(tmpdir(), 'multigrad-api-'));
try {
  writeReports(root, made);
  if (update) {
    rmSync(kept, { recursive: true, force: true });
    cpSync(made, kept, { recursive: true });
  }
  const [before, now] = [read(kept), read(made)];
  const names = [...new Set([...before.keys(), ...now.keys()])].sort();
  const changed = names.filter((name) => before.get(name) !== now.get(name));
  for (const name of changed) {
    const [was = '', is = ''] = [before.get(name), now.get(name)];
    console.error(`api/${name}`);
    for (const line of [...linesBeside(was, is, '-'), ...linesBeside(is, was, '+')])
      console.error(line);
  }
  if (changed.length > 0) {
    console.error(
      'The public surface is not as api/ has it. Is it meant? npm run api:update, and a changeset.',
    );
    process.exitCode = 1;
  } else {
    console.log(`The public surface of ${now.size} entries is as api/ has it.`);
  }
} finally {
  rmSync(made, { recursive: true });
}
