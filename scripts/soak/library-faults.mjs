// Fails every operation of restoring, saving and pruning checkpoints in every way, and looks at what is left.
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Checkpoints } from '../../packages/checkpoint/dist/index.js';
import { nodeFiles } from '../../packages/core/dist/files/index.js';
import { MultigradError } from '../../packages/core/dist/strategy.js';
import { tryCases } from './cases.mjs';
import { faultsOf, faultyFiles } from './faulty-files.mjs';
import { newFolder } from './scratch.mjs';
import { openBackend, smallRun } from './small-run.mjs';

/** A snapshot after so many steps, whose weights are told by the step. */
function snapshotAfter(step, state) {
  const data = () => Promise.resolve(Float32Array.of(step, 2 * step, 3 * step));
  const tensor = { dtype: 'float32', shape: [3], data };
  const names = ['weights/kernel', 'optimizer/momentum/kernel'];
  return { state: { ...state, step }, tensors: new Map(names.map((name) => [name, tensor])) };
}

/** Takes what is restored, and checks that it is what was saved. */
function taker() {
  return {
    restore: ({ state: { step, fit }, tensors }) => {
      for (const tensor of tensors.values()) {
        const found = [...tensor.dataSync()];
        if (found.join() !== [step, 2 * step, 3 * step].join())
          throw new Error(`Step ${step} came back as ${found.join()}.`);
      }
      return fit;
    },
  };
}

const stepsIn = (folder) =>
  readdirSync(folder)
    .filter((name) => name.startsWith('step-'))
    .map((name) => Number(name.slice(5, 13)))
    .sort((a, b) => a - b);

/** One run with one fault: it restores, then saves three times, and goes on after an error. */
async function run(folder, state, at, mode) {
  const faulty = faultyFiles(nodeFiles, at, mode);
  const warnings = [];
  const checkpoints = new Checkpoints(folder, {
    ...{ files: faulty.files, keep: 2, keepBest: 1 },
    onDamaged: (message) => warnings.push(message),
  });
  const told = (error) => {
    if (!MultigradError.isInstance(error) || error.code !== 'io') throw error;
  };
  const before = readdirSync(folder).join();
  const begin = async () => {
    const restored = await checkpoints.restore(taker());
    if (restored?.step !== 3) throw new Error(`It went on from ${JSON.stringify(restored)}.`);
  };
  await begin().catch(async (error) => {
    told(error);
    if (readdirSync(folder).join() !== before) throw new Error('Restoring changed the folder.');
    if (!faulty.died()) await begin();
  });
  let saved = 3;
  for (const step of [4, 5, 6]) {
    if (faulty.died()) break;
    try {
      await checkpoints.save(snapshotAfter(step, state), 10 - step);
      saved = step;
    } catch (error) {
      told(error);
    }
  }
  if (warnings.length > 0) throw new Error(warnings.join());
  return { ...faulty, saved };
}

/** All that a folder holds is sound, and nothing that was saved is missing. */
async function check(folder, { saved, died }) {
  const held = stepsIn(folder);
  const damaged = [];
  const checkpoints = new Checkpoints(folder, { onDamaged: (message) => damaged.push(message) });
  const restored = await checkpoints.restore(taker());
  if (damaged.length > 0) throw new Error(damaged.join());
  if (restored === null || restored.step < saved)
    throw new Error(`Step ${saved} was saved. Found ${restored?.step}.`);
  if (held.length < 2) throw new Error(`Two were to be kept. Found ${held.join()}.`);
  for (const step of held) {
    if (step === restored.step) continue;
    const alone = `${folder}-alone`;
    rmSync(alone, { recursive: true, force: true });
    const name = readdirSync(folder).find((one) => Number(one.slice(5, 13)) === step);
    cpSync(join(folder, name), join(alone, name), { recursive: true });
    await new Checkpoints(alone).restore(taker());
  }
  // A process that goes on has lost one step at most.
  if (!died() && saved < 5) throw new Error(`After an error nothing was saved: ${saved}.`);
}

/**
 * Tries the faults `from` to `from + count - 1` in the list of all of them.
 *
 * @param every - of how many operations one is in the list
 * @returns operations of a run, how many faults the list has, how many were tried, and which lost something
 */
export async function libraryFaults({ every, from = 0, count = Infinity, ...shard }) {
  await openBackend('cpu');
  const small = smallRun({ optimizer: 'sgd', strategy: 'pcgrad' });
  const root = newFolder('library-faults');
  try {
    await small.trainer.fit(small.data, { epochs: 1 });
    const { state } = small.trainer.snapshot();
    const sound = join(root, 'sound');
    const checkpoints = new Checkpoints(sound, { keep: 2, keepBest: 1 });
    for (const step of [1, 2, 3]) await checkpoints.save(snapshotAfter(step, state), 10 - step);
    const fresh = () => {
      const folder = join(root, 'run');
      rmSync(folder, { recursive: true, force: true });
      cpSync(sound, folder, { recursive: true });
      return folder;
    };
    const operations = (await run(fresh(), state, 0, 'EIO')).count();
    const faults = [...faultsOf(operations, every)];
    const left = Math.max(0, Math.min(count, faults.length - from));
    const found = await tryCases('faults', { from, count: left, ...shard }, async (index) => {
      const [mode, at] = faults[index];
      const folder = fresh();
      let outcome;
      try {
        outcome = await run(folder, state, at, mode);
        await check(folder, outcome);
      } catch (error) {
        const what = `Operation ${at} (${outcome?.operation() ?? ''}), ${mode}: ${error.stack}`;
        throw new Error(what, { cause: error });
      }
    });
    return { operations, faults: faults.length, left, ...found };
  } finally {
    small.dispose();
    rmSync(root, { recursive: true, force: true });
  }
}
