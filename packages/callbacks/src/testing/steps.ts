import type { StepReport, TrainerCallback } from '@multigrad/core';

/** A report made up by formulas, of two objectives in one group. */
export function reportOf(step: number): StepReport {
  return {
    step,
    losses: { near: 1 / (step + 1), far: 2 },
    metrics: { near: { accuracy: 0.5 } },
    groups: [
      {
        key: 'encoder/near+far',
        objectives: ['near', 'far'],
        norms: [1, step + 1],
        cosines: [
          [1, -0.5],
          [-0.5, 1],
        ],
        weights: [0.25, 0.75],
        conflict: true,
        diagnostics: { lambda: 0.5 },
      },
    ],
    backwardPasses: 2,
    observed: false,
  };
}

/** Plays `fit` to a callback: steps `from` to before `to`, epochs of `length` steps; the last one may be cut off. */
export async function play(
  callback: TrainerCallback,
  from: number,
  to: number,
  length = 4,
): Promise<void> {
  const start = { step: from, epoch: Math.floor(from / length), batch: from % length };
  await callback.onTrainBegin?.(start);
  for (let step = from; step < to; step += 1) {
    const epoch = Math.floor(step / length);
    if (step % length === 0) await callback.onEpochBegin?.(epoch);
    await callback.onBatchBegin?.(step % length);
    await callback.onBatchEnd?.(step % length, reportOf(step));
    if (step % length === length - 1) {
      await callback.onEpochEnd?.(epoch, { loss: 10 - epoch, near_loss: epoch });
    }
  }
  await callback.onTrainEnd?.({ epoch: [], history: {} });
}
