import {
  type Gramian,
  type GroupGradients,
  type Integration,
  isZeroWithinError,
} from '@multigrad/core/strategy';
import { combinationLength } from './combination.ts';
import { commonDirection } from './common-direction.ts';
import { type Rescaling, rescaling } from './rescaling.ts';

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
  let bounded: number | null = null;
  for (const [name, tensorGramian] of tensorGramians) {
    const { lambda: stretched, ratio } = stretch(tensorGramian, direction);
    const factor = Math.min(stretched, maxRescale);
    if (Math.max(1, factor) < Math.min(ratio, maxRescale)) bounded = Math.max(bounded ?? 1, ratio);
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
    note: bounded === null ? 'conflict' : 'noise',
    diagnostics: bounded === null ? { lambda } : { lambda, ratio: bounded },
  };
}

/** The factor of a tensor; 1 where `h_t` is zero within the Gramian's error, so that no rounding is blown up. */
function stretch(gramian: Gramian, direction: Float64Array): Rescaling {
  const { length, uncancelled } = combinationLength(gramian, direction);
  if (uncancelled === 0 || isZeroWithinError(gramian, (length / uncancelled) ** 2, 1)) {
    return { lambda: 1, ratio: 1 };
  }
  return rescaling(gramian, direction);
}
