import { type GradientStrategy, MultigradError } from '@multigrad/core/strategy';
import type { Wrapped } from './inner-hooks.ts';
import { scaledGradients } from './scaled-gradients.ts';

/** Options of {@link clippedGradients}. */
export interface ClippedGradientsOptions {
  /** The largest norm of an objective's gradient in a group, a finite number > 0. */
  readonly norm: number;
}

/**
 * The strategy applied to gradients that are clipped before they are integrated: each objective's gradient of a group is
 * `g_k · min(1, norm / |g_k|)`, so that one that is suddenly long cannot drown the others.
 *
 * To clip the update, use the trainer's option `clip` instead.
 *
 * @param strategy - any whose update is a weighted sum of the step's gradients, loss-only ones too
 * @throws MultigradError `invalid-option`; `unsupported` for a strategy that reads single coordinates, keeps a memory or
 *   looks at several batches
 *
 * @example
 * ```ts
 * import { clippedGradients } from '@multigrad/composition';
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { sum } from '@multigrad/strategy-sum';
 *
 * const strategy = clippedGradients(sum(), { norm: 10 });
 * console.log(integrateMatrix(strategy, [[3, 4], [0, 100]]).update); // 3, 14
 * ```
 */
export function clippedGradients(
  strategy: GradientStrategy,
  { norm }: ClippedGradientsOptions,
): GradientStrategy<Wrapped> {
  if (!(Number.isFinite(norm) && norm > 0)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`norm\` of \`clippedGradients\` should be a finite number > 0. Found ${norm}.`,
    );
  }
  return scaledGradients('clippedGradients', 'clipped', strategy, (length) =>
    length > norm ? norm / length : 1,
  );
}
