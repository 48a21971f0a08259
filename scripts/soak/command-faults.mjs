// Fails every file operation of `multigrad train` and `multigrad resume` in every way, resumes, and compares with a run
// that never met a fault.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '../../packages/core/dist/files/index.js';
import { faultsOf, faultyFiles } from './faulty-files.mjs';
import {
  checkpointSteps,
  figures,
  forgetHolder,
  newFolder,
  resume,
  runPath,
  train,
} from './small-command.mjs';

/** The newest step whose checkpoint was on the disk under its name. */
function watchSteps() {
  let named = 0;
  let saved = 0;
  return {
    watch: (operation, path) => {
      const step = /checkpoints\/step-(\d+)-\d+$/.exec(path)?.[1];
      if (operation === 'rename' && step !== undefined) named = Number(step);
      if (operation === 'sync' && path.endsWith(join(runPath, 'checkpoints'))) saved = named;
    },
    saved: () => saved,
  };
}

async function attempt(start, folder, at, mode) {
  const steps = watchSteps();
  const faulty = faultyFiles(nodeFiles, at, mode, steps.watch);
  const before = checkpointSteps(folder).at(-1) ?? 0;
  const { code, lines } = await start(folder, faulty.files);
  if (typeof code !== 'number') throw code;
  return { ...faulty, code, lines, saved: Math.max(before, steps.saved()) };
}

/** Goes on without faults, and compares. */
async function expectWhole(folder, { saved }, whole) {
  const found = checkpointSteps(folder).at(-1) ?? 0;
  if (found < saved) throw new Error(`Step ${saved} was saved. Found ${found}.`);
  forgetHolder(folder);
  let end = await resume(folder);
  // Before there is a configuration there is nothing to go on with.
  if (end.code !== 0 && saved === 0) end = await train(folder);
  if (end.code !== 0) throw new Error(`It did not go on: ${end.code} ${end.lines.join('\n')}`);
  const told = end.lines.join('\n');
  if (/damaged|aside|gap|Lost/.test(told)) throw new Error(`Something was lost: ${told}`);
  if (figures(folder) !== whole) throw new Error('It ended with other figures.');
}

/**
 * @param every - of how many operations one is tried, of each command
 * @returns operations of each command, and how many faults were tried; throws where anything is lost
 */
export async function commandFaults({ every, first = 1 }) {
  const root = newFolder('command-faults');
  try {
    const sound = join(root, 'sound');
    const half = join(root, 'half');
    const folder = join(root, 'run');
    const fresh = (from) => {
      rmSync(folder, { recursive: true, force: true });
      if (from !== null) cpSync(from, folder, { recursive: true });
      return folder;
    };
    const counts = {};
    counts.train = (await attempt(train, sound, 0, '')).count();
    const whole = figures(sound);
    // A run that died in the midst of its third checkpoint.
    await attempt(train, half, Math.floor(counts.train * 0.6), 'dies before');
    forgetHolder(half);
    counts.resume = (await attempt(resume, fresh(half), 0, '')).count();
    let faults = 0;
    for (const [name, start, from] of [
      ['train', train, null],
      ['resume', resume, half],
    ]) {
      for (const [mode, at] of faultsOf(counts[name], every, first)) {
        let outcome;
        try {
          outcome = await attempt(start, fresh(from), at, mode);
          await expectWhole(folder, outcome, whole);
        } catch (error) {
          const what = `${name}, operation ${at} (${outcome?.operation() ?? ''}), ${mode}`;
          throw new Error(`${what}: ${error.stack}\n${outcome?.lines.join('\n')}`, {
            cause: error,
          });
        }
        faults += 1;
      }
    }
    return { counts, faults };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
