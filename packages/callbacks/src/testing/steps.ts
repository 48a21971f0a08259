import type { FitStart, StepReport, TrainerCallback } from '@multigrad/core';

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

/** Where a `fit` begins or goes on. */
export function startAt(step: number, epoch: number, batch: number, epochs = 3): FitStart {
  return { step, epoch, batch, epochs, variables: [] };
}

/** Plays `fit` to a callback: steps `from` to before `to`, epochs of `length` steps; the last one may be cut off. */
export async function play(
  callback: TrainerCallback,
  from: number,
  to: number,
  length = 4,
): Promise<void> {
  const epochs = Math.ceil(to / length);
  await callback.onTrainBegin?.(startAt(from, Math.floor(from / length), from % length, epochs));
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
  callback.release?.();
}
