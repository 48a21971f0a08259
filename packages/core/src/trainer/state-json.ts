import type { IntegrationState } from '../network/integration-state.ts';
import { fromFaithfulJson, toFaithfulJson } from '../base/faithful-json.ts';
import type { Json } from '../base/json.ts';

// States of strategies, optimizers and callbacks, also from other packages, as JSON that restores them unchanged.

/** @throws MultigradError `invalid-argument` with the path of what JSON cannot hold */
export function stateToJson(state: IntegrationState): IntegrationState {
  const { strategy } = state;
  return {
    ...state,
    run: toFaithfulJson(state.run, `state of strategy ${strategy}`),
    groups: state.groups.map((group) => ({
      ...group,
      state: toFaithfulJson(group.state, `state of strategy ${strategy} in group ${group.key}`),
    })),
  };
}

/** Restores the state that `stateToJson` was given. */
export function stateFromJson(state: IntegrationState): IntegrationState {
  return {
    ...state,
    run: fromFaithfulJson(state.run),
    groups: state.groups.map((group) => ({ ...group, state: fromFaithfulJson(group.state) })),
  };
}

/** @throws MultigradError `invalid-argument` with the path of what JSON cannot hold */
export function optimizerValuesToJson(kind: string, values: Json): Json {
  return toFaithfulJson(values, `values of optimizer ${kind}`);
}

/** Restores the values that `optimizerValuesToJson` was given. */
export function optimizerValuesFromJson(values: Json): Json {
  return fromFaithfulJson(values);
}

/** @throws MultigradError `invalid-argument` with the path of what JSON cannot hold */
export function callbackStateToJson(name: string, state: unknown): Json {
  return toFaithfulJson(state, `state of callback ${name}`);
}
