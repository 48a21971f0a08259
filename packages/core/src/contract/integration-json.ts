import { fromFaithfulJson, toFaithfulJson } from '../base/faithful-json.ts';
import type { Json } from '../base/json.ts';
import type { Integration } from './strategy.ts';
import { numberFromJson, numberToJson } from '../base/non-finite-json.ts';

/**
 * A strategy's answer as JSON. It names tensors by their place in the group: their names may differ from rank to rank.
 */
interface IntegrationRecord {
  readonly weights: readonly number[];
  readonly batchWeights: readonly (readonly number[])[] | null;
  readonly memoryUpdate: Readonly<Record<'weights' | 'keep' | 'add', readonly number[]>> | null;
  readonly tensorWeights: readonly (readonly [place: number, weights: readonly number[]])[] | null;
  readonly state: Json;
  readonly note: string | null;
  readonly diagnostics: readonly (readonly [name: string, value: number | string])[] | null;
}

/** Converts a strategy's answer, without a function that combines rows, to plain JSON. */
export function integrationToJson(integration: Integration, tensors: readonly string[]): Json {
  const { weights, batchWeights, memoryUpdate, tensorWeights, state, note, diagnostics } =
    integration;
  const record: IntegrationRecord = {
    weights: [...weights],
    batchWeights: batchWeights?.map((some) => [...some]) ?? null,
    memoryUpdate:
      memoryUpdate === undefined
        ? null
        : {
            weights: [...memoryUpdate.weights],
            keep: [...memoryUpdate.keep],
            add: [...memoryUpdate.add],
          },
    tensorWeights:
      tensorWeights === undefined
        ? null
        : Array.from(tensorWeights, ([name, some]) => [tensors.indexOf(name), [...some]] as const),
    state: toFaithfulJson(state, 'state of a strategy'),
    note: note ?? null,
    diagnostics:
      diagnostics === undefined
        ? null
        : Object.entries(diagnostics).map(([name, value]) => [name, numberToJson(value)] as const),
  };
  return record as unknown as Json;
}

/** Restores an answer from the JSON of `integrationToJson`. */
export function integrationFromJson(json: Json, tensors: readonly string[]): Integration {
  const record = json as unknown as IntegrationRecord;
  const { weights, batchWeights, memoryUpdate, tensorWeights, state, note, diagnostics } = record;
  return {
    weights: Float64Array.from(weights),
    state: fromFaithfulJson(state),
    ...(batchWeights === null
      ? {}
      : { batchWeights: batchWeights.map((some) => Float64Array.from(some)) }),
    ...(memoryUpdate === null
      ? {}
      : {
          memoryUpdate: {
            weights: Float64Array.from(memoryUpdate.weights),
            keep: Float64Array.from(memoryUpdate.keep),
            add: Float64Array.from(memoryUpdate.add),
          },
        }),
    ...(tensorWeights === null
      ? {}
      : {
          tensorWeights: new Map(
            tensorWeights.map(([place, some]) => [tensors[place]!, Float64Array.from(some)]),
          ),
        }),
    ...(note === null ? {} : { note }),
    ...(diagnostics === null
      ? {}
      : {
          diagnostics: Object.fromEntries(
            diagnostics.map(([name, value]) => [name, numberFromJson(value)]),
          ),
        }),
  };
}
