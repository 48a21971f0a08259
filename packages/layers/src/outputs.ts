import { MultigradError, own } from '@multigrad/core/strategy';
import { describeValue, didYouMean, listNames } from '@multigrad/core/support';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Port } from './named-tensors.ts';
import { type LossName, type Measure, measuresOf, type Measures } from './resolve-by-name.ts';

type Loss = LossName | Measure;
type Metric = string | Measure;

/** Losses of the outputs of a model. */
export type LossOption<Name extends string> = Loss | readonly Loss[] | Readonly<Record<Name, Loss>>;

/** Metrics of the outputs of a model. */
export type MetricsOption<Name extends string> =
  Metric | readonly Metric[] | Readonly<Partial<Record<Name, Metric | readonly Metric[]>>>;

/** An output that has a loss. */
export interface ModelOutput extends Measures {
  /** Its place among the outputs of the model. */
  readonly place: number;
  readonly port: Port;
}

/**
 * Finds the outputs of a model that have a loss.
 *
 * @returns them, and the names of the others
 * @throws MultigradError `invalid-option` for names that the model or TensorFlow.js does not know
 */
export function outputsOf(
  model: LayersModel,
  loss: LossOption<string>,
  metrics: MetricsOption<string> = [],
): { readonly outputs: readonly ModelOutput[]; readonly others: readonly string[] } {
  const names = uniqueNames(model.outputNames);
  const losses = lossesOf(loss, names);
  const chosen = names.flatMap((name, place) => {
    const own = losses.get(name);
    return own === undefined ? [] : [{ name, place, loss: own }];
  });
  const measured = chosen.map(({ name, place, loss: own }) => ({
    name,
    shape: model.outputs[place]!.shape,
    loss: own,
    metrics: metricsOf(metrics, name, [...losses.keys()]),
  }));
  const measures = measuresOf(measured);
  return {
    outputs: chosen.map(({ name, place, loss: own }, index) => ({
      ...measures[index]!,
      place,
      port: {
        name,
        shape: model.outputs[place]!.shape,
        sparse: own === 'sparseCategoricalCrossentropy',
        free: typeof own === 'function',
      },
    })),
    others: names.filter((name) => !losses.has(name)),
  };
}

/** A shared layer may make several outputs, which have one name then: later ones get a number. */
function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let number = 1; taken.has(own); number += 1) own = `${name}_${number}`;
    taken.add(own);
    return own;
  });
}

function lossesOf(given: unknown, names: readonly string[]): ReadonlyMap<string, Loss> {
  if (typeof given === 'string' || typeof given === 'function') {
    return new Map(names.map((name) => [name, given as Loss]));
  }
  if (Array.isArray(given)) {
    if (given.length === names.length) {
      return new Map(names.map((name, place) => [name, given[place] as Loss]));
    }
    throw new MultigradError(
      'invalid-option',
      `Option \`loss\` should have a loss for each of ${names.length} outputs: ${listNames(names)}. Found a list of ${given.length}.`,
    );
  }
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : [];
  if (entries.length === 0) {
    throw new MultigradError(
      'invalid-option',
      `Option \`loss\` should have losses by the names of outputs: ${listNames(names)}. Found ${describeValue(given)}.`,
    );
  }
  for (const [name, loss] of entries) {
    if (!names.includes(name)) throw unknownOutput('loss', name, names);
    if (typeof loss === 'string' || typeof loss === 'function') continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`loss.${name}\` should be the name of a loss or a function of labels and predictions. Found ${describeValue(loss)}.`,
    );
  }
  return new Map(entries as [string, Loss][]);
}

function metricsOf(
  given: MetricsOption<string>,
  name: string,
  names: readonly string[],
): readonly Metric[] {
  if (typeof given === 'string' || typeof given === 'function') return [given];
  if (Array.isArray(given)) return given as readonly Metric[];
  const record = given as Readonly<Record<string, Metric | readonly Metric[]>>;
  const unknown = Object.keys(record).find((key) => !names.includes(key));
  if (unknown !== undefined) throw unknownOutput('metrics', unknown, names);
  const chosen = own(record, name) ?? [];
  return Array.isArray(chosen) ? (chosen as readonly Metric[]) : [chosen as Metric];
}

function unknownOutput(option: string, name: string, names: readonly string[]): MultigradError {
  return new MultigradError(
    'invalid-option',
    `Option \`${option}\` should name outputs ${option === 'metrics' ? 'that have a loss' : 'of the model'}: ${listNames(names)}. Found \`${name}\`.${didYouMean(name, names)}`,
  );
}
