// Fills the disk under a run that makes checkpoints, or lets it only be read: the earlier ones stay whole, and the run
// goes on once there is room.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checkpoints } from '../../packages/checkpoint/dist/index.js';
import { lastWeights, train } from './kills.mjs';

/** The runs of this test. */
const plan = (epochs) => ({
  backend: 'cpu',
  everySteps: 1,
  runs: [{ name: 'run', optimizer: 'adam', strategy: 'moco', epochs }],
});

async function expectSound(folder) {
  const damaged = [];
  const checkpoints = new Checkpoints(join(folder, 'run', 'checkpoints'), {
    onDamaged: (message) => damaged.push(message),
  });
  const newest = await checkpoints.readNewest();
  if (newest === null || damaged.length > 0)
    throw new Error(`Lost a checkpoint: ${damaged.join()}`);
  return newest.manifest.step;
}

/** Goes on under a limit, which ends it, then without, and compares with a run that never met one. */
async function compare(
  folder,
  { limited, before = () => undefined, after = () => undefined, code },
) {
  const first = await train(folder, plan(1));
  if (first.code !== 0) throw new Error(first.complaints);
  rmSync(join(folder, 'run', 'last.safetensors'));
  const step = await expectSound(folder);
  before();
  const full = await train(folder, plan(3), limited);
  if (full.code === 0) throw new Error('It ended although nothing could be written.');
  if (!full.complaints.includes(code))
    throw new Error(`Expected ${code}. Found ${full.complaints}`);
  const kept = await expectSound(folder);
  if (kept < step) throw new Error(`Step ${step} is lost: the newest is ${kept}.`);
  after();
  const end = await train(folder, plan(3));
  if (end.code !== 0) throw new Error(end.complaints);
  const whole = mkdtempSync(join(tmpdir(), 'multigrad-whole-'));
  try {
    await train(whole, { ...plan(3), everySteps: 0 });
    const [a] = lastWeights(folder, plan(3));
    const [b] = lastWeights(whole, plan(3));
    if (!a.equals(b)) throw new Error('The run ended with other weights.');
  } finally {
    rmSync(whole, { recursive: true });
  }
  return { step, kept };
}

/** By the shell's limit on the size of files: no rights needed. */
export async function smallFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-limit-'));
  try {
    return await compare(folder, { limited: { shell: 'ulimit -f 2' }, code: 'EFBIG' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** By a folder that may only be read: whoever may mount one makes a file system so, others take its rights. */
export async function readOnlyFolder() {
  const mounted = mount();
  if (mounted !== null) {
    try {
      const remount = (how) => () => execFileSync('mount', ['-o', `remount,${how}`, mounted]);
      return await compare(mounted, { before: remount('ro'), after: remount('rw'), code: 'EROFS' });
    } finally {
      unmount(mounted);
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-read-only-'));
  const checkpoints = join(folder, 'run', 'checkpoints');
  try {
    return await compare(folder, {
      before: () => chmodSync(checkpoints, 0o555),
      after: () => chmodSync(checkpoints, 0o755),
      code: 'EACCES',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A file system of one MiB in memory, which only root may mount; null for others. */
function mount() {
  if (process.getuid?.() !== 0) return null;
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'multigrad-full', folder]);
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
}

function unmount(folder) {
  execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
}

/** By a file system of one MiB in memory, which only root may mount; null for others. */
export async function fullDisk() {
  const folder = mount();
  if (folder === null) return null;
  try {
    const filler = join(folder, 'filler');
    return await compare(folder, {
      before: () => {
        // All that is left but a few pages.
        for (let size = 2 ** 20; size >= 4096; size /= 2) {
          try {
            writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
          } catch (error) {
            if (error.code !== 'ENOSPC') throw error;
          }
        }
      },
      after: () => rmSync(filler),
      code: 'ENOSPC',
    });
  } finally {
    unmount(folder);
  }
}
