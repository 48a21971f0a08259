import { MultigradError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import {
  type Grouping,
  initialState,
  type IntegrationState,
} from '../network/integration-state.ts';
import type { RunVariable } from '../network/run-variables.ts';
import type { Structure } from '../network/structure.ts';

/** The names of the samples of a batch as objectives. */
export function sampleNames(count: number): string[] {
  return Array.from({ length: count }, (_, sample) => `sample ${sample}`);
}

/**
 * The state before the first step where single samples are objectives. The strategy is told the samples of the first batch;
 * groups list the objective that the samples belong to, so that batches may differ in size.
 *
 * @throws MultigradError `incompatible-strategy` for a strategy that remembers single objectives
 */
export function initialSampleState(
  structure: Structure,
  samples: number,
  strategy: GradientStrategy,
  grouping: Grouping,
  variables: readonly RunVariable[],
): IntegrationState {
  const names = sampleNames(samples);
  const bySample = {
    objectives: names,
    groups: structure.groups.map((group) => ({ ...group, objectives: names })),
  };
  // A batch of one sample would leave groups without a state that larger batches need.
  const state = initialState(bySample, strategy, { ...grouping, singles: 'weighted' }, variables);
  checkForgetful(strategy, state.run);
  for (const group of state.groups) checkForgetful(strategy, group.state);
  return {
    ...state,
    singles: grouping.singles,
    objectives: structure.objectives,
    groups: state.groups.map((group, index) => ({
      ...group,
      objectives: structure.groups[index]!.objectives,
    })),
  };
}

/**
 * Checks that a strategy can integrate per-sample objectives.
 *
 * @throws MultigradError `incompatible-strategy` with the reason
 */
export function checkSampleStrategy({ name, needs }: GradientStrategy): void {
  const { gradients, losses, memory, batches = 1 } = needs;
  const reason =
    gradients === 'rows'
      ? 'combines gradients number by number, and the gradients of single samples are never made'
      : memory === true
        ? 'keeps a vector for each objective, and the next batch has other samples'
        : batches > 1
          ? 'takes several batches, whose samples are different objectives'
          : losses === 'now-and-after-step' || losses === 'epoch-means'
            ? 'follows the losses of objectives from step to step, and the next batch has other samples'
            : null;
  if (reason === null) return;
  throw new MultigradError(
    'incompatible-strategy',
    `With per-sample objectives a strategy should need Gramians and losses of one step alone. Found that \`${name}\` ${reason}.`,
  );
}

/** @throws MultigradError `incompatible-strategy` where a state is keyed by samples */
export function checkForgetful({ name }: GradientStrategy, state: Json): void {
  if (!isKeyedBySample(state)) return;
  throw new MultigradError(
    'incompatible-strategy',
    `With per-sample objectives a strategy should remember nothing of single objectives: the next batch has other samples. ` +
      `Found \`sample 0\` in the state of \`${name}\`.`,
  );
}

function isKeyedBySample(state: Json): boolean {
  if (typeof state === 'string') return state === 'sample 0';
  if (state === null || typeof state !== 'object') return false;
  if (Array.isArray(state)) return state.some(isKeyedBySample);
  return Object.entries(state).some(([key, value]) => key === 'sample 0' || isKeyedBySample(value));
}
