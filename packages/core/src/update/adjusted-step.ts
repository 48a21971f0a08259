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

/** What becomes of one variable beside what the optimizer does to it. */
export interface Adjustment {
  readonly variable: Variable;
  /** Factor on the optimizer's change. */
  readonly factor: number;
  /** Share of the variable that is taken off. */
  readonly decay: number;
}

/**
 * Lets an optimizer change variables, then adjusts its changes: `w ← w + factor (w' − w) − decay w`, where `w'` is what
 * the optimizer made of `w`. So a factor is one on the learning rate, whatever the optimizer makes of gradients, and the
 * decay is decoupled from it.
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
