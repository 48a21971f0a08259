// Parts of the soak test about threads of wasm: each prints what it finds and returns its figures.
import { growths } from './growths.mjs';
import { losses } from './losses.mjs';
import { starts } from './starts.mjs';

/** Seconds without a line after which a child counts as hanging: on a loaded machine a start takes half of that. */
const silence = 120;

/** Training that starts again and again, on threads of wasm. */
export async function writeStarts({ count = 200, busy = 6, records }) {
  const on = { threads: [2, 4], steps: 5 };
  const found = await starts({ count, busy, silence, records, ...on });
  console.log(
    `threads: ${found.starts} starts of training on wasm, LeNet and CG-MNIST on 2 and on 4 threads, ${on.steps} ` +
      `steps each, beside ${busy} busy processes: ${found.hangs} hangs, ${found.deaths} deaths, ${found.missing} threads ` +
      `that did not answer in time; ${(found.seconds / found.starts).toFixed(1)} s a start.`,
  );
  return [
    {
      ...{ what: `hangs in ${found.starts} starts`, found: `${found.hangs}`, expected: '0' },
      holds: found.hangs === 0,
    },
    {
      ...{ what: `threads that died in them`, found: `${found.deaths}`, expected: '0' },
      holds: found.deaths === 0,
    },
    {
      ...{ what: 'networks whose weights differ', found: `${found.different}`, expected: '0' },
      holds: found.different === 0,
    },
  ];
}

/** Memory of wasm that grows before every kernel. */
export async function writeGrowths({ count = 5000, seed = 1, busy = 6 }) {
  const found = await growths({ count, seed, busy, silence, threads: [2, 4] });
  console.log(
    `threads: memory grew ${found.growths} times before a kernel, beside ${busy} busy processes: ` +
      `${found.hangs} hangs, ${found.deaths} deaths.`,
  );
  const holds = found.hangs === 0 && found.deaths === 0;
  return [
    {
      what: `hangs, deaths in ${found.growths} growths of memory`,
      ...{ found: `${found.hangs}, ${found.deaths}`, expected: '0, 0', holds },
    },
  ];
}

/** Threads of wasm that are lost on purpose. */
export async function writeLosses({ count: cases = 1000, seed = 1, records }) {
  const found = await losses({ cases, seed, records, silence });
  console.log(`threads: ${cases} cases, ${found.lost} threads lost, ${found.hangs} hangs:`);
  for (const [what, times] of Object.entries(found.kinds)) console.log(`  ${what}: ${times}`);
  for (const [what, times] of Object.entries(found.outcomes)) console.log(`  -> ${what}: ${times}`);
  const sound = (found.outcomes['same bits'] ?? 0) + (found.outcomes['kernel-failed'] ?? 0);
  return [
    {
      ...{ what: `hangs in ${cases} losses of threads`, found: `${found.hangs}`, expected: '0' },
      holds: found.hangs === 0,
    },
    {
      ...{ what: 'same bits, or the error of a kernel at fault', found: `${sound}` },
      ...{ expected: `${cases}`, holds: sound === cases },
    },
  ];
}
