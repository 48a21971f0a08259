import type { DefinedMetric, Experiment, ExperimentDefinition, Preset } from './experiment.ts';
import { checkDefinition } from './check-definition.ts';
import type { NoSettings, SettingSpecs } from './settings.ts';

/**
 * Checks an experiment and fills in every default. A module exports the result as `experiment`, and every command of
 * multigrad takes the module: `multigrad compare ./my-experiment.js`.
 *
 * Settings are typed in `open` by their descriptions. {@link opened} around what `open` returns lets the type of a batch
 * follow from the data.
 *
 * @throws MultigradError `invalid-experiment` that names the field which is wrong, what was found and what was expected
 *
 * @example
 * ```ts
 * import { defineExperiment, opened } from '@multigrad/experiment';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 * import * as layers from '@tensorflow/tfjs-layers';
 *
 * const points = {
 *   count: 128,
 *   batch: (indices: Int32Array) => ({ x: tf.div(tf.tensor2d([...indices], [indices.length, 1]), 64) as tf.Tensor2D }),
 * };
 *
 * export const experiment = defineExperiment({
 *   name: 'line-and-parabola',
 *   objectives: ['line', 'parabola'],
 *   settings: {
 *     units: { kind: 'number', integer: true, minimum: 1, default: 8, description: 'Units of the hidden layer.' },
 *   },
 *   open: ({ units }) => {
 *     const input = layers.input({ shape: [1] });
 *     const hidden = layers.layers.dense({ units, activation: 'tanh' }).apply(input);
 *     const outputs = ['line', 'parabola'].map((name) => layers.layers.dense({ units: 1, name }).apply(hidden));
 *     const network = layers.model({ inputs: input, outputs: outputs as layers.SymbolicTensor[] });
 *     return opened({
 *       network,
 *       data: { train: points, test: points },
 *       objectives: ({ x }, { training }) => {
 *         const [line, parabola] = network.apply(x, { training }) as [tf.Tensor, tf.Tensor];
 *         return {
 *           line: tf.mean(tf.squaredDifference(line, x)),
 *           parabola: tf.mean(tf.squaredDifference(parabola, tf.square(x))),
 *         };
 *       },
 *     });
 *   },
 * });
 * console.log(experiment.title, experiment.strategies); // line-and-parabola [ 'sum', 'mmpareto', 'pcgrad', 'mgda', 'upgrad' ]
 * ```
 */
export function defineExperiment<
  const Specs extends SettingSpecs = NoSettings,
  const Objective extends string = string,
>(definition: ExperimentDefinition<Specs, Objective>): Experiment {
  // Plain JavaScript may hand over anything: the check is made of the value itself.
  checkDefinition(definition);
  const erased = definition as unknown as ExperimentDefinition;
  const { name, baseline = null, settings = {} } = erased;
  const objectives = Object.freeze([...erased.objectives]);
  return Object.freeze({
    name,
    title: erased.title ?? name,
    summary: erased.summary ?? '',
    sources: Object.freeze([...(erased.sources ?? [])]),
    objectives,
    baseline,
    metrics: definedMetrics(erased.metrics ?? {}, objectives),
    settings,
    presets: definedPresets((erased.presets ?? {}) as Readonly<Record<string, Preset>>),
    strategies: Object.freeze([...(erased.strategies ?? defaultStrategies(baseline))]),
    check: (values) => erased.check?.(values as never),
    open: async (values, seed) => erased.open(values as never, seed),
  } satisfies Experiment);
}

function defaultStrategies(baseline: string | null): readonly string[] {
  const common = ['sum', 'mmpareto', 'pcgrad', 'mgda'];
  return baseline === null ? [...common, 'upgrad'] : ['joint', ...common];
}

function definedMetrics(
  metrics: NonNullable<ExperimentDefinition['metrics']>,
  objectives: readonly string[],
): Readonly<Record<string, DefinedMetric>> {
  return Object.freeze(
    Object.fromEntries(
      Object.entries(metrics).map(([name, { title = name, unit = '', ...metric }]) => [
        name,
        Object.freeze({ objectives, ...metric, title, unit }),
      ]),
    ),
  );
}

/** Without presets there is one that changes nothing. */
function definedPresets(
  presets: Readonly<Record<string, Preset>>,
): Readonly<Record<string, Required<Preset>>> {
  const given: Readonly<Record<string, Preset>> =
    Object.keys(presets).length === 0 ? { default: { summary: 'the defaults' } } : presets;
  return Object.freeze(
    Object.fromEntries(
      Object.entries(given).map(([name, { summary, seeds = 1, settings = {} }]) => [
        name,
        Object.freeze({ summary, seeds, settings }),
      ]),
    ),
  );
}
