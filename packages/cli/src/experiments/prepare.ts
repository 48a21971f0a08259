import type { ObjectiveContext, ObjectiveValue } from '@multigrad/core';
import type { Experiment, OpenExperiment } from '@multigrad/experiment';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { Settings } from '../runs/settings.ts';
import { assertOpened } from './check-opened.ts';
import { type DataBatches, dataBatches } from './data-batches.ts';
import { invalidExperiment, listed, thrownBy } from './invalid-experiment.ts';
import { networkParts, type NetworkParts } from './network-parts.ts';

/** An objective's loss for one batch, with what is measured beside it. */
export interface MeasuredLoss {
  readonly loss: Tensor;
  readonly metrics: Readonly<Record<string, Tensor>>;
  /** Number of samples that they are means over; the whole batch where absent. */
  readonly samples?: Tensor | number;
}

/** Everything that one run trains and measures: an open experiment, checked, with every default filled in. */
export interface PreparedExperiment extends DataBatches, NetworkParts {
  /** One forward pass for one batch: the objectives that are present. */
  objectives(
    batch: NamedTensorMap,
    context: ObjectiveContext,
  ): Readonly<Record<string, MeasuredLoss>>;
  /** Metrics that are not means over batches, on a whole data set; null where the experiment has none. */
  readonly evaluate: NonNullable<OpenExperiment['evaluate']> | null;
  /** The network as the experiment made it. */
  readonly network: unknown;
  /** Entries of a batch that are modalities: the test set is also measured with each of them set to zero. */
  readonly modalities: readonly string[];
  /** The joint prediction of a batch; null where the experiment has none. */
  readonly predict: NonNullable<OpenExperiment['predict']> | null;
  /** The joint prediction where only some modalities are seen, with learnt tokens for others; null where it has none. */
  readonly predictMasked: NonNullable<OpenExperiment['predictMasked']> | null;
  /** The entry of a batch that holds the labels of the joint prediction. */
  readonly labels: string;
  /** Frees the network and what else was made. */
  dispose(): void;
}

/**
 * Opens an experiment for one run: network, data and forward pass, as the trainer takes them.
 *
 * @throws MultigradError `invalid-experiment` where `open` returns what is no open experiment; `invalid-option` for settings
 *   that do not fit the data; errors of multigrad that `open` throws
 */
export async function prepareExperiment(
  experiment: Experiment,
  settings: Settings,
  seed: number,
): Promise<PreparedExperiment> {
  let open: unknown;
  try {
    open = await experiment.open(settings, seed);
  } catch (cause) {
    throw thrownBy(experiment, 'open', cause);
  }
  assertOpened(experiment, open);
  const network = networkParts(experiment, open.network);
  const dispose = (): void => {
    network.dispose();
    open.dispose?.();
  };
  try {
    return {
      ...network,
      ...dataBatches(experiment, open.data, settings, seed),
      objectives: (batch, context) => measured(experiment, open.objectives(batch, context)),
      evaluate: open.evaluate === undefined ? null : (batches) => open.evaluate!(batches),
      network: open.network,
      modalities: open.modalities ?? [],
      predict: open.predict === undefined ? null : (batch) => open.predict!(batch),
      predictMasked:
        open.predictMasked === undefined ? null : (batch, seen) => open.predictMasked!(batch, seen),
      labels: open.labels ?? 'label',
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** What a forward pass returned, without absent objectives. */
function measured(experiment: Experiment, returned: unknown): Record<string, MeasuredLoss> {
  if (typeof returned !== 'object' || returned === null) {
    throw invalidExperiment(experiment, '`objectives` should return losses by name', returned);
  }
  const present = Object.entries(
    returned as Readonly<Record<string, ObjectiveValue | null | undefined>>,
  );
  return Object.fromEntries(
    present.flatMap(([name, value]): [string, MeasuredLoss][] => {
      if (!experiment.objectives.includes(name)) {
        throw invalidExperiment(
          experiment,
          `\`objectives\` should return losses of ${listed(experiment.objectives)}`,
          name,
        );
      }
      if (value === null || value === undefined) return [];
      if ('losses' in value) {
        throw invalidExperiment(
          experiment,
          `objective \`${name}\` should be one loss; per-sample losses are for MultiObjectiveTrainer and integrateGradients`,
          value,
        );
      }
      const { metrics = {}, ...loss } = 'loss' in value ? value : { loss: value };
      return [[name, { ...loss, metrics }]];
    }),
  );
}
