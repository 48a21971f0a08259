// Writes event files by a training that was cut off and went on; Python's tensorboard must read what was meant.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensorBoard } from '../../packages/callbacks/dist/index.js';

const [python] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'multigrad-formats-'));

function reportOf(step) {
  const cosine = -1 + step / 8;
  const group = {
    key: 'encoder/near+far',
    objectives: ['near', 'far'],
    norms: [1, step + 1],
    cosines: [
      [1, cosine],
      [cosine, 1],
    ],
    weights: [0.25, 0.75],
    conflict: cosine < 0,
  };
  const losses = { near: 1 / (step + 1), far: 2 };
  return { step, losses, metrics: {}, groups: [group], backwardPasses: 2, observed: false };
}

/** Steps `from` to before `to`, in epochs of four. */
async function train(from, to, shift) {
  const variables = new Map([['kernel', { data: async () => Float32Array.of(-2, 0, 0.5, 2) }]]);
  const board = tensorBoard(folder, { now: () => 1_700_000_000_000 + shift, variables });
  await board.onTrainBegin({ step: from, epoch: Math.floor(from / 4), batch: from % 4 });
  for (let step = from; step < to; step += 1) {
    if (step % 4 === 0) await board.onEpochBegin(Math.floor(step / 4));
    await board.onBatchEnd(step % 4, reportOf(step));
    if (step % 4 === 3) await board.onEpochEnd(Math.floor(step / 4), { loss: step + shift });
  }
}

try {
  await train(0, 14, 0);
  const [name] = readdirSync(folder);
  const file = join(folder, name);
  appendFileSync(file, readFileSync(file).subarray(0, 50));
  await train(8, 16, 1000);
  execFileSync(python, [join(import.meta.dirname, 'tensorboard_peer.py'), folder], {
    stdio: 'inherit',
  });
} finally {
  rmSync(folder, { recursive: true });
}
