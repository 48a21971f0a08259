import {
  type GradientStrategy,
  integrateMatrix,
  type Json,
  MultigradError,
} from '@multigrad/core/strategy';
import type { OfferedStrategy } from '../plane/strategies.ts';
import type { Vector } from '../plane/vectors.ts';
import { type Moments, noMoments, type Rule, stepOf } from './rules.ts';
import { gradientsAt } from './two-valleys.ts';

/** A path on its way. */
export interface Descent {
  readonly point: Vector;
  /** Steps made. */
  readonly steps: number;
  /** What the strategy remembers; absent before the first step. */
  readonly state?: Json;
  readonly moments: Moments;
  /** Why it ends here: the strategy's own words, or that it left the plane; absent while it can go on. */
  readonly end?: string;
}

/** A path before its first step. */
export const startAt = (point: Vector): Descent => ({ point, steps: 0, moments: noMoments });

/** Points further out than this are lost. */
const lost = 1e4;

const objectives = ['L1', 'L2'];

/** The path one step further; one that has ended stays as it is. */
export function descend(
  descent: Descent,
  strategy: GradientStrategy,
  { tensors }: Pick<OfferedStrategy, 'tensors'>,
  rule: Rule,
): Descent {
  if (descent.end !== undefined) return descent;
  const { point, steps, state } = descent;
  let answer;
  try {
    const known = state === undefined ? {} : { state };
    answer = integrateMatrix(strategy, gradientsAt(point), {
      objectives,
      tensors,
      step: steps,
      ...known,
    });
  } catch (error) {
    if (MultigradError.isInstance(error)) return { ...descent, end: error.message };
    throw error;
  }
  const [u, v] = answer.update;
  const { change, moments } = stepOf(rule, [u!, v!], descent.moments, steps);
  const next: Vector = [point[0] + change[0], point[1] + change[1]];
  const inside = Math.hypot(...next) <= lost;
  return {
    point: inside ? next : point,
    steps: steps + 1,
    state: answer.state,
    moments,
    ...(inside ? {} : { end: 'It left the plane: the learning rate is too large.' }),
  };
}
