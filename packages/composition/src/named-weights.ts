import { type Integration, own } from '@multigrad/core/strategy';

/** Weights by objective name. */
export type NamedWeights = Readonly<Record<string, number>>;

/** Weights of an earlier step: those of the group, and those of tensors that differ from them, by tensor name. */
export type LastWeights = {
  readonly weights: NamedWeights;
  readonly tensors: Readonly<Record<string, NamedWeights>>;
};

/** The weights before the first step: none. */
export const noWeights: LastWeights = { weights: {}, tensors: {} };

/** Stores the weights of a step; objectives that were absent keep their earlier weights. */
export function remember(
  before: LastWeights,
  objectives: readonly string[],
  { weights, tensorWeights }: Pick<Integration, 'weights' | 'tensorWeights'>,
): LastWeights {
  const over = (old: NamedWeights, values: Float64Array): NamedWeights => ({
    ...old,
    ...Object.fromEntries(objectives.map((name, k) => [name, values[k]!])),
  });
  return {
    weights: over(before.weights, weights),
    tensors: Object.fromEntries(
      Array.from(tensorWeights ?? [], ([tensor, values]) => [
        tensor,
        over(own(before.tensors, tensor) ?? before.weights, values),
      ]),
    ),
  };
}

/**
 * Reads the stored weights of a tensor (of the group for null), in the order of the objectives; null for an objective
 * without one.
 */
export function recall(
  { weights, tensors }: LastWeights,
  tensor: string | null,
  objectives: readonly string[],
): readonly (number | null)[] {
  const named = tensor === null ? weights : (own(tensors, tensor) ?? weights);
  return objectives.map((name) => own(named, name) ?? own(weights, name) ?? null);
}
