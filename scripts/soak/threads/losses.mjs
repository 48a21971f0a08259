// Loses threads on purpose, a thousand times: no hang, and the bits of one thread or an error of ours.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { watched } from './busy.mjs';

const program = join(import.meta.dirname, 'lose.mjs');
const perProcess = 50;

/**
 * @param records - a file that gets a line for each case
 * @returns counts of kinds and of what came of them
 */
export async function losses({ cases, seed, records, silence }) {
  const kinds = {};
  const outcomes = {};
  let hangs = 0;
  let lost = 0;
  for (let first = 0; first < cases;) {
    const count = Math.min(perProcess, cases - first);
    const onLine = (line) => {
      const found = JSON.parse(line);
      if (records !== undefined) appendFileSync(records, `${line}\n`);
      kinds[found.kind] = (kinds[found.kind] ?? 0) + 1;
      outcomes[found.outcome] = (outcomes[found.outcome] ?? 0) + 1;
      lost += found.lost ?? 0;
    };
    const { lines, outcome } = await watched(program, [seed, first, count], { silence, onLine });
    if (outcome === 'hang') hangs += 1;
    else if (outcome !== 'done') throw new Error(`Case ${first + lines.length}: ${outcome}`);
    // After a hang the next case goes on in a new process.
    first += outcome === 'hang' ? lines.length + 1 : count;
  }
  return { cases, hangs, lost, kinds, outcomes };
}
