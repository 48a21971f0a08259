import type { Answers } from './ask.ts';
import { oneScalar, type OneScalar } from './one-scalar.ts';
import type { PresentGroup, StepContext } from './step-context.ts';

/**
 * Finds the scalar loss whose one backward pass gives every group's update.
 *
 * @param answers - what the strategy decided before any backward pass; null where it needs gradients first
 * @returns null where there is no such loss, or where each objective's own gradient is needed: then each objective takes a
 *   backward pass
 */
export function oneScalarOf(
  { objectives, clipObjectives }: StepContext,
  groups: readonly PresentGroup[],
  answers: Answers | null,
): OneScalar | null {
  if (answers === null || clipObjectives !== undefined) return null;
  if (answers.run !== null) return { weights: answers.run.weights, factors: new Map() };
  const byTensor = [...answers.byGroup.values()].some(
    ({ tensorWeights }) => (tensorWeights?.size ?? 0) > 0,
  );
  if (byTensor) return null;
  return oneScalar(
    groups.map((present) => ({
      key: present.group.key,
      objectives: present.objectives,
      weights: answers.byGroup.get(present.group.key)?.weights ?? Float64Array.of(1),
    })),
    objectives.length,
  );
}
