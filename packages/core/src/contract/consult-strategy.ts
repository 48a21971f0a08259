import { MultigradError } from '../base/errors.ts';
import { groupGradients, type GroupGradientsParts } from './group-gradients.ts';
import type { Json } from '../base/json.ts';
import type { Needs } from './needs.ts';
import { needsAt, readAnswer } from './read-answer.ts';
import type { GradientStrategy, Integration } from './strategy.ts';

/**
 * Asks a strategy for its weights, showing it just what its needs name, and checks the answer.
 *
 * @param known - all that is known of the group at this step
 * @throws MultigradError `incompatible-strategy` when it throws or there is not one weight per objective, `non-finite` when a
 *   weight is NaN or infinite
 */
export function consultStrategy<State extends Json>(
  strategy: GradientStrategy<State>,
  known: GroupGradientsParts,
  state: State,
): Integration<State> {
  const needs = needsAt(strategy, state);
  const { gradients, losses } = needs;
  const seesGramian =
    (gradients === 'gramian' || gradients === 'tensor-gramians') && known.gramian !== undefined;
  const seesStacked = isStacked(needs) && known.stacked !== undefined;
  const seesTensors = gradients === 'tensor-gramians' && known.tensorGramians !== undefined;
  const seesLosses = losses?.startsWith('now') === true && known.losses !== undefined;
  const group = groupGradients({
    strategy: strategy.name,
    objectives: known.objectives,
    step: known.step,
    ...(seesGramian ? { gramian: known.gramian } : {}),
    ...(seesTensors ? { tensorGramians: known.tensorGramians } : {}),
    ...(seesStacked ? { stacked: known.stacked } : {}),
    ...(seesLosses ? { losses: known.losses } : {}),
  });
  const integration = readAnswer(strategy.name, () =>
    strategy.integrate(group, state),
  ) as Integration<State>;
  checkWeights(strategy.name, integration.weights, known.objectives);
  for (const weights of integration.tensorWeights?.values() ?? []) {
    checkWeights(strategy.name, weights, known.objectives);
  }
  checkParts(strategy.name, needs, integration, known.objectives);
  return integration;
}

/** Whether a strategy sees more vectors than one batch's gradients. */
export function isStacked({ batches = 1, memory }: Needs): boolean {
  return batches > 1 || memory !== undefined;
}

/** Checks that the answer has the parts beside weights that the needs require, and no others. */
function checkParts(
  strategy: string,
  { gradients, batches = 1, memory }: Needs,
  integration: Integration,
  objectives: readonly string[],
): void {
  const expectPart = (part: string, found: number, expected: number): void => {
    if (found === expected) return;
    throw new MultigradError(
      'incompatible-strategy',
      `Strategy \`${strategy}\` should return ${expected === 0 ? 'no' : expected} \`${part}\`, as its needs say. Found ${found}.`,
    );
  };
  expectPart('combine', integration.combine === undefined ? 0 : 1, gradients === 'rows' ? 1 : 0);
  expectPart(
    'memoryUpdate',
    integration.memoryUpdate === undefined ? 0 : 1,
    memory === true ? 1 : 0,
  );
  expectPart('batchWeights', integration.batchWeights?.length ?? 0, batches - 1);
  const { weights = [], keep = [], add = [] } = integration.memoryUpdate ?? {};
  for (const part of [
    ...(integration.batchWeights ?? []),
    ...(integration.memoryUpdate === undefined ? [] : [weights, keep, add]),
  ]) {
    checkWeights(strategy, part as Float64Array, objectives);
  }
}

function checkWeights(
  strategy: string,
  weights: Float64Array,
  objectives: readonly string[],
): void {
  if (weights.length !== objectives.length) {
    throw new MultigradError(
      'incompatible-strategy',
      `Strategy \`${strategy}\` should return one weight for each of ${objectives.join(', ')}. Found ${weights.length}.`,
    );
  }
  objectives.forEach((objective, k) => {
    if (Number.isFinite(weights[k])) return;
    throw new MultigradError(
      'non-finite',
      `Strategy \`${strategy}\` should return finite weights. Found ${weights[k]} for objective \`${objective}\`.`,
    );
  });
}
