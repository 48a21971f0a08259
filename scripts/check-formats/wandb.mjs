// Runs the Python program that docs/long-runs.md gives for Weights & Biases on event files of ours, offline; what the run
// holds must be what was written.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { tensorBoard } from '../../packages/callbacks/dist/index.js';

// The program runs in another folder.
const python = resolve(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), 'multigrad-wandb-'));
const page = readFileSync(join(import.meta.dirname, '../../docs/long-runs.md'), 'utf8');
const [, program] = /```python\n(import sys\n[^]*?wandb\.init[^]*?)```/.exec(page);

async function train(from, to) {
  const board = tensorBoard(join(folder, 'tensorboard'), { now: () => 1_700_000_000_000 });
  await board.onTrainBegin({ step: from, epoch: 0, batch: from, epochs: 1, variables: [] });
  for (let step = from; step < to; step += 1) {
    const group = {
      ...{ key: 'encoder', objectives: ['near', 'far'], norms: [1, step + 1] },
      cosines: [
        [1, -0.5],
        [-0.5, 1],
      ],
      ...{ weights: [0.25, 0.75], conflict: true },
    };
    const losses = { near: 1 / (step + 1), far: 2 };
    const report = { step, losses, metrics: {}, groups: [group], backwardPasses: 2 };
    await board.onBatchEnd(step, { ...report, observed: false });
  }
}

try {
  await train(0, 6);
  // Training goes on from a checkpoint before the last steps.
  await train(4, 8);
  writeFileSync(join(folder, 'to_wandb.py'), program);
  execFileSync(python, ['to_wandb.py', 'tensorboard', 'digits', 'sum-seed0'], {
    ...{ cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
    env: { ...process.env, WANDB_MODE: 'offline', WANDB_SILENT: 'true' },
  });
  execFileSync(python, [join(import.meta.dirname, 'wandb_peer.py'), folder], { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true });
}
