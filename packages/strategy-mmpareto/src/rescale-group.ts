import type { GroupGradients, Integration } from '@multigrad/core/strategy';
import { commonDirection } from './common-direction.ts';
import { rescaling } from './rescaling.ts';

/** The paper's rule: one rescaling factor for the whole group, so the update keeps the common descent direction. */
export function rescaleGroup(
  { gramian }: GroupGradients,
  gamma: number,
  maxRescale: number,
): Integration<null> {
  const ones = new Float64Array(gramian.size).fill(1);
  const direction = commonDirection(gramian, (product) => product < 0);
  if (direction === 'sum') {
    return { weights: ones.fill(gamma), state: null, diagnostics: { lambda: 1 } };
  }
  if (direction === 'stationary') {
    return { weights: ones.fill(0), state: null, note: 'stationary' };
  }
  const { lambda: factor, ratio } = rescaling(gramian, direction);
  // The mean is a convex combination too, so |h| <= |Σ g|: the ratio is below 1 by rounding alone.
  const lambda = Math.min(Math.max(1, factor), maxRescale);
  const bounded = factor < ratio && lambda < Math.min(ratio, maxRescale);
  return {
    weights: direction.map((weight) => gamma * lambda * weight),
    state: null,
    note: bounded ? 'noise' : 'conflict',
    diagnostics: bounded ? { lambda, ratio } : { lambda },
  };
}
