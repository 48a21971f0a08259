import type { Logs, TrainerCallback } from '@multigrad/core';
import { resolveOptions } from '@multigrad/core/strategy';
import { countOption } from '../option-specs.ts';
import type { Predict } from './coalition-values.ts';
import {
  type ContributionFigures,
  type ContributionOptions,
  modalityContributions,
  type ModalityContributions,
} from './modality-contributions.ts';

/** Options of {@link contributionLog}. */
export interface ContributionLogOptions<
  Modality extends string,
> extends ContributionOptions<Modality> {
  /** Contributions are measured after every n-th epoch, an integer >= 1. @defaultValue 1 */
  readonly every?: number;
  /**
   * Whether the contributions on the samples of each class are logged too, as `val_contribution_image_class3`.
   *
   * @defaultValue false
   */
  readonly byClass?: boolean;
}

/** A callback that logs what each modality contributes. Make one with {@link contributionLog}. */
export interface ContributionLog<Modality extends string> extends TrainerCallback {
  onMeasure(epoch: number): Promise<Logs | null>;
  /** All that was measured last: intervals, classes, interactions; undefined before the first time. */
  readonly latest: () => ModalityContributions<Modality> | undefined;
}

/**
 * A trainer's callback that measures what each modality contributes, on validation data, and writes it into the epoch's logs
 * as `val_contribution_image`, …: the history has them, and so have callbacks that write files or stop early. With `byClass`
 * it has those on each class too.
 *
 * An epoch that is not measured has NaN in the history.
 *
 * @param predict - as {@link modalityContributions} takes it
 * @param batches - returns the validation data: an array, whose batches stay the caller's, or batches that are freed once
 *   used
 * @throws MultigradError `invalid-option` for `every`; at the end of an epoch as {@link modalityContributions} does
 *
 * @example
 * ```ts
 * import { MultiObjectiveTrainer } from '@multigrad/core';
 * import { contributionLog, multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
 * import { sum } from '@multigrad/strategy-sum';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   image: multilayerPerceptron({ name: 'image', ...size }),
 *   audio: multilayerPerceptron({ name: 'audio', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, classes: 2 });
 * const data = { image: tf.ones([2, 3]), audio: tf.zeros([2, 3]), label: tf.tensor1d([0, 1], 'int32') };
 * const trainer = new MultiObjectiveTrainer({
 *   objectives: (batch: typeof data, mode) => network.objectives(batch, batch.label, mode),
 *   variables: network.trainableVariables,
 *   parts: network.parts,
 *   strategy: sum(),
 *   optimizer: tf.train.sgd(0.1),
 * });
 * const contributions = contributionLog(
 *   (batch: typeof data) => network.forward(batch, { training: false }).multimodal,
 *   () => [data],
 *   { modalities: network.modalities },
 * );
 * const { history } = await trainer.fit([data], { epochs: 3, callbacks: [contributions] });
 * console.log(history.val_contribution_audio); // [ 0, 0, 0 ]: it is always zero
 * console.log(contributions.latest()?.samples); // 2
 * ```
 */
export function contributionLog<Batch extends object, Modality extends string>(
  predict: Predict<Batch, NoInfer<Modality>>,
  batches: () => Iterable<Batch> | AsyncIterable<Batch>,
  { every: given, byClass: classwise, ...options }: ContributionLogOptions<Modality>,
): ContributionLog<Modality> {
  const { every, byClass } = resolveOptions('contributionLog', logOptions, {
    ...(given === undefined ? {} : { every: given }),
    ...(classwise === undefined ? {} : { byClass: classwise }),
  });
  let latest: ModalityContributions<Modality> | undefined;
  return {
    onMeasure: async (epoch) => {
      if ((epoch + 1) % every !== 0) return null;
      latest = await modalityContributions(predict, batches(), options);
      const { modalities } = latest;
      const logsOf = (figures: ContributionFigures<Modality>, ending: string): [string, number][] =>
        modalities.map((name) => [
          `val_contribution_${name}${ending}`,
          figures.contributions[name].value,
        ]);
      const classes = byClass
        ? latest.byClass.flatMap((figures) => logsOf(figures, `_class${figures.label}`))
        : [];
      return Object.fromEntries([...logsOf(latest, ''), ...classes]);
    },
    latest: () => latest,
  };
}

const logOptions = {
  every: countOption('Contributions are measured after every n-th epoch', 1),
  byClass: {
    kind: 'boolean',
    default: false,
    description: 'Whether contributions on the samples of each class are logged too.',
  },
} as const;
