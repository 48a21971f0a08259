// Starts training again and again while other processes compete: memory grows in the first steps, and threads start.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { watched, whileBusy } from './busy.mjs';
import { networkNames } from './networks.mjs';

const program = join(import.meta.dirname, 'start.mjs');

/**
 * So many starts, of each network on each number of threads in turn.
 *
 * @param records - a file that gets a line for each start
 * @returns counts; throws where a start ends with an error
 */
export async function starts({ count, steps, busy, threads, records, silence }) {
  const totals = { starts: count, hangs: 0, deaths: 0, missing: 0, seconds: 0 };
  const weights = Object.fromEntries(networkNames.map((name) => [name, new Set()]));
  await whileBusy(busy, async () => {
    for (let start = 0; start < count; start += 1) {
      const network = networkNames[start % networkNames.length];
      const number = threads[Math.floor(start / networkNames.length) % threads.length];
      const began = performance.now();
      const { lines, outcome } = await watched(program, [network, number, steps], { silence });
      const seconds = (performance.now() - began) / 1000;
      const found = outcome === 'done' ? JSON.parse(lines.at(-1)) : null;
      const record = { start, network, threads: number, seconds, outcome, ...found };
      if (records !== undefined) appendFileSync(records, `${JSON.stringify(record)}\n`);
      totals.seconds += seconds;
      if (outcome === 'hang') totals.hangs += 1;
      else if (found === null) throw new Error(`${network} on ${number} threads: ${outcome}`);
      else {
        totals.deaths += found.lost.length;
        totals.missing += number - found.answered;
        weights[network].add(found.weights);
      }
    }
  });
  return { ...totals, different: Object.values(weights).filter(({ size }) => size > 1).length };
}
