import { own } from '../base/own.ts';
import { checkLosses } from '../contract/check-losses.ts';
import { readState } from '../contract/read-answer.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import type { Json } from '../base/json.ts';
import type { IntegrationState } from '../network/integration-state.ts';

/** Losses by objective name. */
type NamedLosses = Readonly<Partial<Record<string, number>>>;

/**
 * Calls a strategy's `onStepEnd` with the losses of the same batch after the optimizer's step, where its needs name
 * `now-and-after-step`. The state of any other strategy is returned unchanged.
 *
 * @param losses - by objective name, after the step
 * @returns the state for the next step
 *
 * @throws MultigradError `non-finite` when a loss is NaN or infinite
 */
export function endStep(
  strategy: GradientStrategy,
  state: IntegrationState,
  losses: NamedLosses,
): IntegrationState {
  if (strategy.needs.losses !== 'now-and-after-step') return state;
  return updateStates(strategy, state, losses, (values, names, own) =>
    strategy.onStepEnd === undefined
      ? own
      : readState(strategy.name, 'onStepEnd', () => strategy.onStepEnd!(values, names, own)),
  );
}

/**
 * Calls a strategy's `onEpochEnd` with the mean losses of a finished epoch, where its needs name `epoch-means`
 * or `now-and-epoch-means`. The state of any other strategy is returned unchanged.
 *
 * @param losses - by objective name, means over the epoch
 * @returns the state for the next step
 *
 * @throws MultigradError `non-finite` when a loss is NaN or infinite
 */
export function endEpoch(
  strategy: GradientStrategy,
  state: IntegrationState,
  losses: NamedLosses,
): IntegrationState {
  if (strategy.needs.losses?.endsWith('epoch-means') !== true) return state;
  return updateStates(strategy, state, losses, (values, names, own) =>
    strategy.onEpochEnd === undefined
      ? own
      : readState(strategy.name, 'onEpochEnd', () => strategy.onEpochEnd!(values, names, own)),
  );
}

function updateStates(
  strategy: GradientStrategy,
  state: IntegrationState,
  losses: NamedLosses,
  update: (losses: Float64Array, objectives: readonly string[], own: Json) => Json,
): IntegrationState {
  const updated = (objectives: readonly string[], before: Json): Json => {
    const names = objectives.filter((name) => own(losses, name) !== undefined);
    if (names.length === 0) return before;
    const values = Float64Array.from(names, (name) => own(losses, name)!);
    checkLosses(names, values, null);
    return update(values, names, before);
  };
  if (strategy.needs.gradients === 'none') {
    return { ...state, run: updated(state.objectives, state.run) };
  }
  return {
    ...state,
    groups: state.groups.map((group) =>
      group.objectives.length > 1
        ? { ...group, state: updated(group.objectives, group.state) }
        : group,
    ),
  };
}
