import { MultigradError, own } from '@multigrad/core/strategy';
import type { Experiment } from '@multigrad/experiment';
import { modalityContributions, modalityMeans, sampleValuation } from '@multigrad/models';
import * as tf from '@tensorflow/tfjs-core';
import { thrownBy } from '../experiments/invalid-experiment.ts';
import type { PreparedExperiment } from '../experiments/prepare.ts';
import type { ContributionRecord } from '../runs/contribution-record.ts';
import { numberSetting, type Settings, textSetting } from '../runs/settings.ts';

/** Measures what each modality contributes on the test set. */
export type MeasureContribution = (
  through: (batches: AsyncIterable<tf.NamedTensorMap>) => AsyncIterable<tf.NamedTensorMap>,
) => Promise<ContributionRecord>;

/** Whether contributions are measured after an epoch, counted from 0; `shown` for those whose scores tables show. */
export function measuresContribution(settings: Settings, epoch: number, shown: boolean): boolean {
  if (textSetting(settings, 'contribution') === 'off') return false;
  const every = numberSetting(settings, 'contribution-every');
  return shown || (every > 0 && (epoch + 1) % every === 0);
}

/**
 * Checks that an experiment has modalities whose contributions can be measured, where that is asked for.
 *
 * @throws MultigradError `unsupported` with the reason
 */
export function assertContribution(
  { name }: Experiment,
  { modalities, predict, predictMasked }: PreparedExperiment,
  settings: Settings,
): void {
  const masks = textSetting(settings, 'contribution');
  if (masks === 'off') return;
  const refuse = (reason: string): never => {
    throw new MultigradError(
      'unsupported',
      `Option \`contribution\` of \`${name}\` measures what each modality contributes to a joint prediction. ${reason}`,
    );
  };
  if (modalities.length < 2) {
    refuse(
      'This experiment has objectives side by side and no modalities: `open` returns ' +
        (modalities.length === 0 ? 'none' : `\`${modalities[0]!}\` alone`) +
        ' as `modalities`.',
    );
  }
  if (masks === 'token' && own(settings, 'modality-dropout') === 0) {
    refuse(
      'With `token` it needs tokens: set `modality-dropout` above 0, so that the network learns them.',
    );
  }
  if (masks === 'token' && predictMasked === null) {
    refuse(
      'What `open` returns has no `predictMasked`: it should return the joint logits of a batch where only some modalities ' +
        'are seen, with learnt tokens in the place of the others.',
    );
  }
  if (masks !== 'token' && predict === null) {
    refuse(
      'What `open` returns has no `predict`: it should return the joint logits of a batch, n × classes.',
    );
  }
  if (modalities.length > 6) {
    refuse(
      `It makes 2^M forward passes for each batch, so it takes at most 6 modalities. Found ${modalities.length}.`,
    );
  }
}

/**
 * Measures the contributions of one batch, so that a `predict` that is broken fails before anything is written.
 *
 * @throws MultigradError `invalid-experiment` where it throws; others as `sampleValuation` does
 */
export async function tryContribution(
  experiment: Experiment,
  prepared: PreparedExperiment,
  settings: Settings,
  batch: tf.NamedTensorMap,
): Promise<void> {
  const masks = textSetting(settings, 'contribution');
  if (masks === 'off') return;
  const { modalities, labels } = prepared;
  const ask = predictionOf(prepared, masks);
  const predict = (shown: tf.NamedTensorMap, seen: readonly string[]): tf.Tensor => {
    try {
      return ask(shown, seen);
    } catch (cause) {
      throw thrownBy(experiment, masks === 'token' ? 'predictMasked' : 'predict', cause);
    }
  };
  await sampleValuation(predict, batch, {
    modalities,
    labels,
    masks: masks === 'token' ? 'own' : 'zero',
  });
}

/** The prediction that is measured: one that is shown masks, or one that puts tokens in the place of what is not seen. */
function predictionOf(
  { predict, predictMasked }: PreparedExperiment,
  masks: string,
): NonNullable<PreparedExperiment['predictMasked']> {
  return masks === 'token' ? predictMasked! : (batch) => predict!(batch);
}

/** Makes the measurement that settings ask for. Means of the training set are taken over one of its epochs, each time anew. */
export function contributionOf(
  prepared: PreparedExperiment,
  settings: Settings,
): MeasureContribution {
  const { modalities, labels } = prepared;
  const masks = textSetting(settings, 'contribution') as ContributionRecord['masks'];
  return async (through) => {
    const means =
      masks === 'mean' ? await modalityMeans(through(prepared.train(0)), modalities) : null;
    try {
      const measured = await modalityContributions(
        predictionOf(prepared, masks),
        through(prepared.test()),
        { modalities, labels, masks: means ?? (masks === 'token' ? 'own' : 'zero') },
      );
      return { masks, ...measured };
    } finally {
      tf.dispose(means ?? []);
    }
  };
}
