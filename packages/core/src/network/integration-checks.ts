import { assertStrategy } from '../contract/check-strategy.ts';
import { MultigradError } from '../base/errors.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import type { Grouping } from './integration-state.ts';
import { quoted } from './observe-graph.ts';
import type { RunVariable } from './run-variables.ts';

// Checks of a call that do not need its gradients.

/** @throws MultigradError `invalid-argument` where a variable is disposed */
function checkAlive(variables: readonly RunVariable[]): void {
  const gone = variables.find(({ variable }) => variable.isDisposed);
  if (gone === undefined) return;
  throw new MultigradError('invalid-argument', `Variable \`${gone.name}\` is disposed.`);
}

/**
 * Checks the arguments of a call before any forward pass.
 *
 * @param several - whether several ranks train together
 */
export function checkCall(
  variables: readonly RunVariable[],
  strategy: GradientStrategy,
  { level, singles }: Grouping,
  several = false,
): void {
  assertStrategy(strategy);
  checkAlive(variables);
  if (!['parameters', 'features'].includes(level)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`level\` should be 'parameters' or 'features'. Found ${JSON.stringify(level)}.`,
    );
  }
  if (!['plain', 'weighted'].includes(singles)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`singles\` should be 'plain' or 'weighted'. Found ${JSON.stringify(singles)}.`,
    );
  }
  const { memory = false, batches = 1 } = strategy.needs;
  if (level === 'features' && several && strategy.needs.gradients === 'rows') {
    throw new MultigradError(
      'unsupported',
      `Strategy \`${strategy.name}\` combines gradients number by number, and at features each of several ranks has numbers of its own. ` +
        "Use `level: 'parameters'`.",
    );
  }
  if (level === 'features' && (memory || batches > 1)) {
    throw new MultigradError(
      'unsupported',
      `Strategy \`${strategy.name}\` combines gradients of several ${memory ? 'steps' : 'batches'}, and features differ from batch to batch. ` +
        "Use `level: 'parameters'`.",
    );
  }
  if (level === 'features' && strategy.needs.gradients === 'tensor-gramians') {
    throw new MultigradError(
      'unsupported',
      `Strategy \`${strategy.name}\` weights each parameter tensor by itself, which has no meaning with \`level: 'features'\`. ` +
        "Use `level: 'parameters'`, or a strategy that needs the Gramian alone.",
    );
  }
}

/** Checks that there is a forward function for each independent batch that the strategy takes. */
export function checkBatches(strategy: GradientStrategy, found: number): void {
  const { batches = 1 } = strategy.needs;
  if (found === batches) return;
  throw new MultigradError(
    'invalid-argument',
    `Strategy \`${strategy.name}\` takes ${batches === 1 ? 'one forward function' : `${batches} forward functions, one for each independent batch`}. ` +
      `Found ${found}.`,
  );
}

/** Checks that a further batch has the same objectives as the first, in the same order. */
export function checkSameObjectives(expected: readonly string[], found: readonly string[]): void {
  if (expected.length === found.length && found.every((name, k) => name === expected[k])) return;
  throw new MultigradError(
    'invalid-objective',
    `The independent batches of a step should show the same objectives in the same order: ${quoted(expected)}. Found ${quoted(found)}.`,
  );
}

/** Checks that loss weights are finite and not negative, and that their objectives exist. */
export function checkLossWeights(
  lossWeights: Readonly<Partial<Record<string, number>>>,
  objectives: readonly string[],
): void {
  for (const [name, weight] of Object.entries(lossWeights)) {
    if (!objectives.includes(name)) {
      throw new MultigradError(
        'invalid-option',
        `Option \`lossWeights\` should name objectives: ${objectives.join(', ')}. Found \`${name}\`.`,
      );
    }
    if (weight === undefined || (Number.isFinite(weight) && weight >= 0)) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`lossWeights.${name}\` should be a finite number >= 0. Found ${weight}.`,
    );
  }
}
