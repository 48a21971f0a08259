// npm run soak [-- kills|fuzz|full|steady [key=value ...]]: what takes too long for the test suite.
import { fullDisk, smallFiles } from './full-disk.mjs';
import { fuzz } from './fuzz.mjs';
import { killAndResume } from './kills.mjs';
import { steady } from './steady.mjs';

const [only, ...settings] = process.argv.slice(2);
const given = Object.fromEntries(
  settings.map((setting) => {
    const [key, value] = setting.split('=');
    return [key, Number.isNaN(Number(value)) ? value : Number(value)];
  }),
);

const parts = {
  kills: async () => {
    const backends = given.backend === undefined ? ['cpu', 'wasm'] : [given.backend];
    for (const backend of backends) {
      const result = await killAndResume({
        kills: 100,
        epochs: 6,
        everySteps: 1,
        seed: 1,
        ...given,
        backend,
      });
      console.log(
        `kills: ${result.kills} on ${result.backend} over ${result.steps} steps of ${result.runs} runs, ` +
          `${result.writing} of them while a checkpoint was written; every run ended with the same bytes.`,
      );
    }
  },
  fuzz: async () => {
    const { count, counts, mebibytes } = await fuzz({ count: 2000, seed: 1, ...given });
    console.log(
      `fuzz: ${count} damaged checkpoints, at most ${mebibytes} MiB of memory beyond the start:`,
    );
    for (const [what, times] of Object.entries(counts).sort()) console.log(`  ${what}: ${times}`);
  },
  full: async () => {
    const limit = await smallFiles();
    console.log(
      `full: stopped by a limit on files after step ${limit.kept}; nothing lost, same bytes at the end.`,
    );
    const disk = await fullDisk();
    console.log(
      disk === null
        ? 'full: no full disk, for want of the right to mount one.'
        : `full: stopped by a full disk after step ${disk.kept}; nothing lost, same bytes at the end.`,
    );
  },
  steady: async () => {
    const backends = given.backend === undefined ? ['wasm', 'cpu'] : [given.backend];
    for (const backend of backends) {
      const figures = await steady({ steps: 20_000, every: 100, ...given, backend });
      const { tensors, memory, resident, first, last } = figures;
      const kibibytes = (bytes) => (bytes / 1024).toFixed(2);
      console.log(
        `steady: ${figures.steps} steps on ${backend}: ${tensors.join('/')} tensors; resident memory ` +
          `${kibibytes(memory.rate * 1000)} ± ${kibibytes(memory.error * 1000)} KiB per 1000 steps at ` +
          `${(resident / 2 ** 20).toFixed(0)} MiB; ${first.toFixed(0)} steps a second in the first tenth, ` +
          `${last.toFixed(0)} in the last (ratio ${(last / first).toFixed(3)}).`,
      );
      if (tensors.length !== 1) throw new Error('The number of tensors is not constant.');
    }
  },
};

if (only !== undefined && !(only in parts)) {
  throw new Error(`There is no part \`${only}\`: ${Object.keys(parts).join(', ')}.`);
}
for (const [name, part] of Object.entries(parts))
  if (only === undefined || only === name) await part();
