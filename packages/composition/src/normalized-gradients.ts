import type { GradientStrategy } from '@multigrad/core/strategy';
import type { Wrapped } from './inner-hooks.ts';
import { scaledGradients } from './scaled-gradients.ts';

/** State of {@link normalizedGradients}: that of the strategy it wraps. */
export type NormalizedGradientsState = Wrapped;

/**
 * The strategy applied to gradients of unit length: its update is `Σ_k w_k g_k / |g_k|`, with the weights `w` that it
 * finds for the gradients `g_k / |g_k|`.
 *
 * The unit of an objective's loss no longer matters. The update has the size of unit vectors, so the learning rate sets
 * the length of a step. A gradient that is zero stays zero. With `tensor-gramians` the lengths are those of the whole
 * group's gradients.
 *
 * @param strategy - any whose update is a weighted sum of the step's gradients, loss-only ones too
 * @throws MultigradError `unsupported` for a strategy that reads single coordinates, keeps a memory or looks at several
 *   batches
 *
 * @example
 * ```ts
 * import { normalizedGradients } from '@multigrad/composition';
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { sum } from '@multigrad/strategy-sum';
 *
 * const strategy = normalizedGradients(sum());
 * console.log(integrateMatrix(strategy, [[3, 4], [0, 100]]).update); // 0.6, 1.8
 * ```
 */
export function normalizedGradients(
  strategy: GradientStrategy,
): GradientStrategy<NormalizedGradientsState> {
  return scaledGradients('normalizedGradients', 'normalized', strategy, (length) =>
    length > 0 ? 1 / length : 0,
  );
}
