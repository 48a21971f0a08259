// Memory that grows before every kernel, while other processes compete.
import { join } from 'node:path';
import { watched, whileBusy } from './busy.mjs';

const program = join(import.meta.dirname, 'grow.mjs');

/** @returns counts; throws where numbers are wrong */
export async function growths({ count, seed, busy, threads, silence }) {
  const totals = { growths: 0, hangs: 0, deaths: 0 };
  await whileBusy(busy, async () => {
    for (const number of threads) {
      const { lines, outcome } = await watched(program, [seed, number, count], { silence });
      if (outcome === 'hang') totals.hangs += 1;
      else if (outcome !== 'done') throw new Error(`On ${number} threads: ${outcome}`);
      totals.growths += count;
      for (const line of lines) totals.deaths += JSON.parse(line).lost.length;
    }
  });
  return totals;
}
