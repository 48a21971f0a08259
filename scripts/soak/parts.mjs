// The parts of the soak test with their usual sizes: each prints what it finds and returns its figures,
// `{ what, found, expected, holds }`; without `holds` a figure is shown and not judged.
import { availableParallelism, loadavg } from 'node:os';
import { entangled, many, opposed } from './exact.mjs';
import { asMebibytes, exactFigures, perThousand, steadyFigures } from './figures.mjs';
import { fullDisk, readOnlyFolder, smallFiles } from './full-disk.mjs';
import { fuzz } from './fuzz.mjs';
import { isInstalled, killAndResume } from './kills.mjs';
import { steady } from './steady.mjs';

/** Kills on every backend that is there. */
export async function writeKills(given) {
  const figures = [];
  const backends = given.backend === undefined ? ['cpu', 'wasm', 'tensorflow'] : [given.backend];
  for (const backend of backends) {
    const what = `kills on ${backend}`;
    if (given.backend === undefined && !(await isInstalled(backend))) {
      figures.push({ what, found: 'not installed', expected: '' });
      continue;
    }
    const usual = { kills: 100, epochs: 6, everySteps: 1, seed: 1 };
    const { kills, steps, runs, writing } = await killAndResume({ ...usual, ...given, backend });
    console.log(
      `kills: ${kills} on ${backend} over ${steps} steps of ${runs} runs, ` +
        `${writing} of them while a checkpoint was written; every run ended with the same bytes.`,
    );
    const found = `${kills} kills, ${writing} while writing; ${runs} runs`;
    figures.push({ what, found, expected: 'the same bytes at the end of each run', holds: true });
  }
  return figures;
}

/** Damaged checkpoints. */
export async function writeFuzz(given) {
  const { count, counts, mebibytes } = await fuzz({ count: 2000, seed: 1, ...given });
  console.log(
    `fuzz: ${count} damaged checkpoints, at most ${mebibytes} MiB of memory beyond the start:`,
  );
  for (const [what, times] of Object.entries(counts).sort()) console.log(`  ${what}: ${times}`);
  return [
    {
      ...{ what: 'damaged checkpoints', found: `${count} recognised or harmless` },
      ...{ expected: 'no crash, no silent load', holds: true },
    },
    {
      ...{ what: 'memory while reading them', found: `${mebibytes} MiB` },
      ...{ expected: 'at most 286 MiB more', holds: true },
    },
  ];
}

/** Disks that take no more. */
export async function writeDisk() {
  const cases = [
    ['a limit on files', smallFiles, 'for want of a shell'],
    ['a full disk', fullDisk, 'for want of the right to mount one'],
    ['a read-only folder', readOnlyFolder, ''],
  ];
  const figures = [];
  for (const [name, run, why] of cases) {
    const outcome = await run();
    console.log(
      outcome === null
        ? `full: not stopped by ${name}, ${why}.`
        : `full: stopped by ${name} after step ${outcome.kept}; nothing lost, same bytes at the end.`,
    );
    figures.push({
      what: `stopped by ${name}`,
      ...(outcome === null
        ? { found: `not tried, ${why}`, expected: '' }
        : {
            ...{ found: `step ${outcome.kept} kept, same bytes at the end` },
            ...{ expected: 'no checkpoint lost', holds: true },
          }),
    });
  }
  return figures;
}

/** Long training. */
export async function writeSteady(given, strict) {
  const figures = [];
  const backends = given.backend === undefined ? ['wasm', 'cpu'] : [given.backend];
  for (const backend of backends) {
    const before = loadavg()[0];
    const result = await steady({ steps: 20_000, every: 100, ...given, backend });
    const { steps, tensors, heap, resident, first, last } = result;
    const loaded = before > availableParallelism() / 2 || loadavg()[0] > availableParallelism();
    console.log(
      `steady: ${steps} steps on ${backend}: ${tensors.join('/')} tensors; heap ${perThousand(heap)} per 1000 ` +
        `steps, resident memory ${perThousand(resident)} at ${asMebibytes(resident.last)} MiB; ${first.toFixed(0)} steps a second in the first tenth, ` +
        `${last.toFixed(0)} in the last (ratio ${(last / first).toFixed(3)}).`,
    );
    figures.push(...steadyFigures(result, strict || !loaded));
  }
  return figures;
}

/** Solvers against exact arithmetic. */
export async function writeExact(given) {
  const figures = [];
  const settings = { count: 20_000, networks: 5000, objectives: 512, seed: 1, ...given };
  for (const [kind, noise] of [
    ['float64', 2 ** -52],
    ['float32', 2 ** -22],
  ]) {
    const sums = await entangled({ ...settings, noise });
    figures.push(...exactFigures(sums, `${settings.count} matrices, noise of ${kind}`));
  }
  for (const backend of given.backend === undefined ? ['cpu', 'wasm'] : [given.backend]) {
    const { sums, left } = await opposed({ ...settings, backend });
    figures.push(...exactFigures(sums, `${settings.networks} networks on ${backend}`));
    const what = `tensors left by networks on ${backend}`;
    figures.push({ what, found: String(left), expected: '0', holds: left === 0 });
  }
  return figures;
}

/** Time for many objectives: of the processor, which other programs do not slow down by much. */
export function writeMany(given) {
  const times = many({ objectives: 512, seed: 1, ...given });
  return times.map(({ what, seconds }) => {
    const most = what.startsWith('upgrad') ? 10 : 5;
    return {
      ...{ what, found: `${seconds.toFixed(2)} s` },
      ...{ expected: `at most ${most} s`, holds: seconds <= most },
    };
  });
}
