import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

const page = new URL('../../docs/backends.md', import.meta.url);
const [begin, end] = ['<!-- operations: tests/upstream/run --table -->', '<!-- operations end -->'];

/** Whether the page has this between its marks; written there where `update` says so. */
export async function keepPage(table, update) {
  const before = readFileSync(page, 'utf8');
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from === -1 || to < from)
    throw new Error(`docs/backends.md should have the marks ${begin} and ${end}.`);
  const text = `${before.slice(0, from)}${begin}\n\n${table}\n\n${before.slice(to)}`;
  const options = await resolveConfig(page);
  const after = await format(text, { ...options, parser: 'markdown' });
  if (after === before) return true;
  if (update) {
    writeFileSync(page, after);
    return true;
  }
  console.log('\ndocs/backends.md is out of date: tests/upstream/run --table writes it.');
  return false;
}
