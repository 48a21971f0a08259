import type { MultigradError } from '@multigrad/core/strategy';
import { accuracy, defineExperiment, type Experiment, opened } from '@multigrad/experiment';
import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
import { expectConstantMemory, normalTensor } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { modalityDropout } from '../experiments/builtin/shared-settings.ts';
import { requireExperiment } from '../experiments/index.ts';
import { resolveSettings } from '../experiments/settings.ts';
import { lineShapes } from '../runs/record-shapes.ts';
import type { ContributionRecord } from '../runs/contribution-record.ts';
import { trainOnce } from '../testing/train-once.ts';
import { tryExperiment } from './try-experiment.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const modalities = ['image', 'sound'] as const;

/** Samples whose class the image tells, while the sound has numbers of mean 5 that tell nothing. */
function patterns(count: number, from: number) {
  return {
    count,
    batch: (indices: Int32Array) =>
      tf.tidy(() => {
        const rows = tf.tensor1d(indices, 'int32');
        const image = tf.gather(normalTensor([count, 3], from), rows);
        const sound = tf.add(tf.gather(normalTensor([count, 3], from + 1), rows), 5);
        const target = tf.cast(tf.greater(tf.sum(image, 1), 0), 'int32') as tf.Tensor1D;
        return { image, sound, target };
      }),
  };
}

type Batch = ReturnType<ReturnType<typeof patterns>['batch']>;

/** An experiment whose labels are called `target`. */
function experimentOf(
  change: (open: object, network: { readonly classes: number }) => object = (open) => open,
): Experiment {
  return defineExperiment({
    name: 'patterns',
    objectives: ['multimodal', ...modalities],
    baseline: 'multimodal',
    metrics: { accuracy },
    settings: { 'modality-dropout': modalityDropout },
    open: (settings, seed) => {
      const part = (name: string) =>
        multilayerPerceptron({ name, shape: [3], hidden: [6], features: 4, seed });
      const network = multimodalNetwork({
        encoders: { image: part('image'), sound: part('sound') },
        modalityDropout: settings['modality-dropout'],
        classes: 2,
        seed,
      });
      const open = opened({
        network,
        data: { train: patterns(96, 10), test: patterns(64, 20) },
        modalities,
        objectives: (batch: Batch, mode) => network.objectives(batch, batch.target, mode),
        predict: (batch) => network.forward(batch, { training: false }).multimodal,
        predictMasked: (batch, seen) => network.predict(batch, seen),
        labels: 'target',
      });
      return change(open, network) as typeof open;
    },
  });
}

const settingsWith = (experiment: Experiment, texts: Readonly<Record<string, string>>) =>
  resolveSettings(experiment, Object.keys(experiment.presets)[0]!, {
    ...{ epochs: '4', 'batch-size': '16', lr: '0.1' },
    ...texts,
  });

describe('--contribution', () => {
  it.each(['zero', 'mean', 'token'] as const)(
    'measures after the epochs asked for, masked by %s',
    async (masks) => {
      const experiment = experimentOf();
      const records = await expectConstantMemory(async () => {
        const { result, epochs } = await trainOnce(
          {
            ...{ experiment, strategy: 'sum' },
            settings: settingsWith(experiment, {
              ...{ contribution: masks, 'contribution-every': '3' },
              ...(masks === 'token' ? { 'modality-dropout': '0.3' } : {}),
            }),
          },
          { backend: 'cpu' },
        );
        expect(result.error).toBeUndefined();
        return epochs;
      });
      const found = records.map(({ contribution }) => contribution);
      expect(found.map((one) => one !== undefined)).toEqual([false, false, true, true]);
      for (const epoch of records) {
        // What is read back from a file is what was measured, and has the shape that readers check.
        expect(lineShapes.epochs(JSON.parse(JSON.stringify(epoch)))).toBeNull();
      }
      const { contributions, joint, chance, samples, byClass, ...rest } = found.at(-1)!;
      expect(rest.masks).toBe(masks);
      expect(rest.modalities).toEqual(modalities);
      expect(samples).toBe(64);
      // What the table shows of the joint head, in float32 there.
      expect(joint).toBeCloseTo(records.at(-1)!.test['multimodal']!['accuracy']!, 6);
      const total = contributions['image']!.value + contributions['sound']!.value;
      expect(total).toBeCloseTo(joint - chance, 14);
      expect(contributions['image']!.low).toBeGreaterThan(0.1);
      expect(contributions['sound']!.low).toBeLessThanOrEqual(0);
      expect(contributions['sound']!.high).toBeGreaterThanOrEqual(0);
      expect(byClass.map(({ label }) => label)).toEqual([0, 1]);
      if (masks === 'zero') {
        const without = records.at(-1)!.without!;
        expect(rest.drops['image']!.value).toBeCloseTo(
          joint - without['image']!['multimodal']!['accuracy']!,
          6,
        );
      }
    },
  );

  it('takes another measure with means in the place of zeros, and measures nothing when off', async () => {
    const experiment = experimentOf();
    const measure = async (contribution: string): Promise<ContributionRecord | undefined> => {
      const settings = settingsWith(experiment, { contribution, epochs: '1' });
      const { epochs } = await trainOnce(
        { experiment, strategy: 'sum', settings },
        { backend: 'cpu' },
      );
      return epochs.at(-1)!.contribution;
    };
    expect(await measure('off')).toBeUndefined();
    const [zero, mean] = [await measure('zero'), await measure('mean')];
    expect(zero!.coalitions.at(-1)).toEqual(mean!.coalitions.at(-1));
    // Probabilities see what a few right answers may not.
    expect(zero!.imbalance).not.toEqual(mean!.imbalance);
  });

  it('is refused where there are no tokens', async () => {
    const refused = async (experiment: Experiment, dropout: string): Promise<MultigradError> => {
      const settings = settingsWith(experiment, {
        contribution: 'token',
        'modality-dropout': dropout,
      });
      const error: unknown = await expectConstantMemory(() =>
        tryExperiment(experiment, settings, 0).catch((thrown: unknown) => thrown),
      );
      return error as MultigradError;
    };
    const off = await refused(experimentOf(), '0');
    expect(off.code).toBe('unsupported');
    expect(off.message).toContain(
      'With `token` it needs tokens: set `modality-dropout` above 0, so that the network learns them.',
    );
    const silent = await refused(
      experimentOf((open) => ({ ...open, predictMasked: undefined })),
      '0.3',
    );
    expect(silent.code).toBe('unsupported');
    expect(silent.message).toContain('has no `predictMasked`: it should return the joint logits');
    const broken = await refused(
      experimentOf((open) => ({
        ...open,
        predictMasked: () => {
          throw new Error('no such token');
        },
      })),
      '0.3',
    );
    expect(broken.code).toBe('invalid-experiment');
    expect(broken.message).toContain('`predictMasked` threw. Error: no such token');
  });

  it('is refused with the reason where there is nothing to measure', async () => {
    const refused = async (experiment: Experiment): Promise<MultigradError> => {
      const settings = settingsWith(experiment, { contribution: 'zero' });
      const error: unknown = await expectConstantMemory(() =>
        tryExperiment(experiment, settings, 0).catch((thrown: unknown) => thrown),
      );
      return error as MultigradError;
    };
    const tasks = await refused(requireExperiment('multi-mnist'));
    expect(tasks.code).toBe('unsupported');
    expect(tasks.message).toBe(
      'Option `contribution` of `multi-mnist` measures what each modality contributes to a joint prediction. This ' +
        'experiment has objectives side by side and no modalities: `open` returns none as `modalities`.',
    );
    const lone = await refused(experimentOf((open) => ({ ...open, modalities: ['image'] })));
    expect(lone.message).toContain('`open` returns `image` alone as `modalities`.');
    const silent = await refused(experimentOf((open) => ({ ...open, predict: undefined })));
    expect(silent.code).toBe('unsupported');
    expect(silent.message).toContain('has no `predict`: it should return the joint logits');
    const broken = await refused(
      experimentOf((open) => ({
        ...open,
        predict: () => {
          throw new Error('no such head');
        },
      })),
    );
    expect(broken.code).toBe('invalid-experiment');
    expect(broken.message).toContain('no such head');
    const unlabelled = await refused(experimentOf((open) => ({ ...open, labels: 'label' })));
    expect(unlabelled.code).toBe('invalid-data');
    expect(unlabelled.message).toContain(
      'should have labels in `label`, int32 [n]. Found undefined.',
    );
    const flat = await refused(
      experimentOf((open) => ({ ...open, predict: ({ image }: Batch) => tf.sum(image, 1) })),
    );
    expect(flat.message).toContain('should return float32 logits of shape [16, classes]');
  });
});
