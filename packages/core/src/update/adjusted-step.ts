import {
  add,
  clone,
  dispose,
  mul,
  sub,
  type Tensor,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';

/** How the optimizer's change of one variable is adjusted. */
export interface Adjustment {
  readonly variable: Variable;
  /** Factor on the optimizer's change. */
  readonly factor: number;
  /** Share of the old value that is subtracted. */
  readonly decay: number;
}

/**
 * Runs an optimizer's step, then adjusts its changes: `w ← w + factor (w' − w) − decay w`, where w is the value before the
 * step and w' the value that the optimizer set. For any optimizer the factor acts as one on the learning rate, and the decay
 * is independent of its gradients.
 */
export async function adjustedStep(
  adjustments: readonly Adjustment[],
  step: () => Promise<void>,
): Promise<void> {
  const before: Tensor[] = adjustments.map(({ variable }) => clone(variable));
  try {
    await step();
    adjustments.forEach(({ variable, factor, decay }, index) => {
      tidy(() => {
        const old = before[index]!;
        const changed = factor === 1 ? variable : add(old, mul(sub(variable, old), factor));
        variable.assign(decay === 0 ? changed : sub(changed, mul(old, decay)));
      });
    });
  } finally {
    dispose(before);
  }
}
