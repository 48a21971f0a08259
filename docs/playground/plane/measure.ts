import { integrateMatrix, MultigradError } from '@multigrad/core/strategy';
import type { OfferedStrategy } from './strategies.ts';
import { dot, length, type Vector } from './vectors.ts';

/** The names of the objectives of as many gradients as there are. */
export const objectiveNames = (count: number): string[] => ['A', 'B', 'C'].slice(0, count);

/** What a strategy makes of the gradients. */
export interface Measured {
  readonly strategy: OfferedStrategy;
  readonly update: Vector;
  readonly length: number;
  /** For each objective its weight, or its weight in each tensor where they differ. */
  readonly weights: readonly (readonly number[])[];
  /** For each objective the inner product of its gradient with the update. */
  readonly products: readonly number[];
  /** The objectives whose losses a small step against the update raises. */
  readonly worse: readonly string[];
}

/** Why a strategy has no answer. */
export interface Refused {
  readonly strategy: OfferedStrategy;
  readonly reason: string;
}

/** Inner products this small beside the lengths are rounding. */
const rounding = 1e-9;

/** Asks a strategy, as its package answers. */
export function measure(
  strategy: OfferedStrategy,
  gradients: readonly Vector[],
): Measured | Refused {
  const { tensors, make } = strategy;
  const objectives = objectiveNames(gradients.length);
  try {
    const answer = integrateMatrix(make(), gradients, { objectives, tensors });
    const update: Vector = [answer.update[0]!, answer.update[1]!];
    const products = gradients.map((gradient) => dot(update, gradient));
    return {
      strategy,
      update,
      length: length(update),
      weights: objectives.map((_, k) =>
        answer.tensorWeights === undefined
          ? [answer.weights[k]!]
          : tensors.map(({ name }) => (answer.tensorWeights!.get(name) ?? answer.weights)[k]!),
      ),
      products,
      worse: objectives.filter(
        (_, k) => products[k]! < -rounding * length(update) * length(gradients[k]!),
      ),
    };
  } catch (error) {
    if (MultigradError.isInstance(error)) return { strategy, reason: error.message };
    throw error;
  }
}
