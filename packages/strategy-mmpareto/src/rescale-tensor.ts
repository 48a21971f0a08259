import {
  type Gramian,
  type GroupGradients,
  type Integration,
  isZeroWithinError,
} from '@multigrad/core/strategy';
import { combinationLength } from './combination.ts';
import { commonDirection } from './common-direction.ts';

/** The official code's rule: the whole group's direction, with a rescaling factor of its own for each tensor. */
export function rescaleTensors(
  { gramian, tensorGramians }: GroupGradients,
  gamma: number,
  maxRescale: number,
): Integration<null> {
  const ones = new Float64Array(gramian.size).fill(1);
  const direction = commonDirection(gramian, (product) => product <= 0);
  if (direction === 'sum') {
    return { weights: ones.fill(gamma), state: null, diagnostics: { lambda: 1 } };
  }
  if (direction === 'stationary') {
    return { weights: ones.fill(0), state: null, note: 'stationary' };
  }
  const tensorWeights = new Map<string, Float64Array>();
  let lambda = 1;
  for (const [name, tensorGramian] of tensorGramians) {
    const factor = Math.min(stretch(tensorGramian, direction, ones), maxRescale);
    // The code's max(1, ·): a tensor is lengthened, never shortened.
    if (factor <= 1) continue;
    lambda = Math.max(lambda, factor);
    tensorWeights.set(
      name,
      direction.map((weight) => gamma * factor * weight),
    );
  }
  return {
    weights: direction.map((weight) => gamma * weight),
    tensorWeights,
    state: null,
    note: 'conflict',
    diagnostics: { lambda },
  };
}

/** `|s_t| / |h_t|`; 1 where `h_t` is zero within the Gramian's error, so that no rounding is blown up. */
function stretch(gramian: Gramian, direction: Float64Array, ones: Float64Array): number {
  const { length, uncancelled } = combinationLength(gramian, direction);
  if (uncancelled === 0 || isZeroWithinError(gramian, (length / uncancelled) ** 2, 1)) return 1;
  return combinationLength(gramian, ones).length / length;
}
