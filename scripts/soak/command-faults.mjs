// Fails every file operation of `multigrad train` and `multigrad resume` in every way, resumes, and compares with a run
// that never met a fault.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '../../packages/core/dist/files/index.js';
import { tryCases } from './cases.mjs';
import { faultsOf, faultyFiles } from './faulty-files.mjs';
import { newFolder } from './scratch.mjs';
import {
  checkpointSteps,
  figures,
  forgetHolder,
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
 * Tries the faults `from` to `from + count - 1` in the list of all of them.
 *
 * @param every - of how many operations one is in the list, of each command
 * @returns operations of each command, how many faults the list has, how many were tried, and which lost something
 */
export async function commandFaults({ every, first = 1, from = 0, count = Infinity, ...shard }) {
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
    const operations = {};
    operations.train = (await attempt(train, sound, 0, '')).count();
    const whole = figures(sound);
    // A run that died in the midst of its third checkpoint.
    await attempt(train, half, Math.floor(operations.train * 0.6), 'dies before');
    forgetHolder(half);
    operations.resume = (await attempt(resume, fresh(half), 0, '')).count();
    const commands = { train: [train, null], resume: [resume, half] };
    const faults = Object.keys(commands).flatMap((name) =>
      Array.from(faultsOf(operations[name], every, first), (fault) => [name, ...fault]),
    );
    const left = Math.max(0, Math.min(count, faults.length - from));
    const found = await tryCases('faults', { from, count: left, ...shard }, async (index) => {
      const [name, mode, at] = faults[index];
      const [start, source] = commands[name];
      let outcome;
      try {
        outcome = await attempt(start, fresh(source), at, mode);
        await expectWhole(folder, outcome, whole);
      } catch (error) {
        const what = `${name}, operation ${at} (${outcome?.operation() ?? ''}), ${mode}`;
        throw new Error(`${what}: ${error.stack}\n${outcome?.lines.join('\n')}`, { cause: error });
      }
    });
    return { operations, faults: faults.length, left, ...found };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
