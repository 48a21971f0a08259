import { MultigradError } from './errors.ts';
import type { Gramian } from './gramian.ts';
import { groupGradients } from './group-gradients.ts';
import type { Json } from './json.ts';
import type { GradientStrategy, Integration } from './strategy.ts';

/** All that the engine knows about a group at a step; a strategy sees the part it asked for. */
export interface KnownGradients {
  readonly objectives: readonly string[];
  readonly gramian?: Gramian;
  readonly tensorGramians?: ReadonlyMap<string, Gramian>;
  readonly losses?: Float64Array;
  readonly step: number;
}

/**
 * Asks a strategy for its weights, showing it just what its needs name, and checks the answer.
 *
 * @throws MultigradError `incompatible-strategy` when there is not one weight per objective, `non-finite` when a
 *   weight is NaN or infinite
 */
export function consultStrategy<State extends Json>(
  strategy: GradientStrategy<State>,
  known: KnownGradients,
  state: State,
): Integration<State> {
  const { gradients, losses } = strategy.needsNow?.(state) ?? strategy.needs;
  const seesGramian = gradients !== 'none' && known.gramian !== undefined;
  const seesTensors = gradients === 'tensor-gramians' && known.tensorGramians !== undefined;
  const seesLosses = losses !== undefined && losses !== 'epoch-means' && known.losses !== undefined;
  const integration = strategy.integrate(
    groupGradients({
      strategy: strategy.name,
      objectives: known.objectives,
      step: known.step,
      ...(seesGramian ? { gramian: known.gramian } : {}),
      ...(seesTensors ? { tensorGramians: known.tensorGramians } : {}),
      ...(seesLosses ? { losses: known.losses } : {}),
    }),
    state,
  );
  checkWeights(strategy.name, integration.weights, known.objectives);
  for (const weights of integration.tensorWeights?.values() ?? []) {
    checkWeights(strategy.name, weights, known.objectives);
  }
  return integration;
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
