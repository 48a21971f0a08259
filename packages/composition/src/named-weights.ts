import { type Integration, own } from '@multigrad/core/strategy';

/** Weights by objective name. */
export type NamedWeights = Readonly<Record<string, number>>;

/** What a strategy decided at an earlier step: the group's weights, and those of tensors that differ, by tensor name. */
export type LastWeights = {
  readonly weights: NamedWeights;
  readonly tensors: Readonly<Record<string, NamedWeights>>;
};

/** Nothing decided yet. */
export const noWeights: LastWeights = { weights: {}, tensors: {} };

/** Remembers a decision; objectives that were absent keep what was remembered of them. */
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

/** What is remembered of a tensor's weights (of the group's where null), in the order of the objectives; null if unknown. */
export function recall(
  { weights, tensors }: LastWeights,
  tensor: string | null,
  objectives: readonly string[],
): readonly (number | null)[] {
  const named = tensor === null ? weights : (own(tensors, tensor) ?? weights);
  return objectives.map((name) => own(named, name) ?? own(weights, name) ?? null);
}
