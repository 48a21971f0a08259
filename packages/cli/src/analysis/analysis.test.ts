import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@multigrad/backends';
import { describe, expect, it } from 'vitest';
import type { PreparedExperiment } from '../experiments/prepare.ts';
import { requireExperiment } from '../experiments/index.ts';
import { resolveSettings } from '../experiments/settings.ts';
import { analysisCsv } from '../results/analysis-csv.ts';
import type { RunRecord } from '../runs/records.ts';
import { trainOnce } from '../testing/train-once.ts';
import { gradientStatistics } from './gradient-statistics.ts';
import { analysisSettings, inspector } from './inspector.ts';
import { lossLandscape } from './loss-landscape.ts';
import type { GradientRecord } from '../runs/analysis-records.ts';

type Batch = Readonly<{ x: tf.Tensor2D }>;

/** Two objectives that are linear in a shared 2 × 1 matrix, so that gradients are the batches' means; one of them also in a head. */
function openLinear(rows: readonly (readonly [number, number])[]): PreparedExperiment {
  const [shared, head] = tf.tidy(
    () => [tf.variable(tf.tensor2d([[1], [2]])), tf.variable(tf.scalar(3))] as const,
  );
  return {
    evaluate: null,
    predict: null,
    predictMasked: null,
    labels: 'label',
    objectives: (batch) => {
      const { x } = batch as Batch;
      const out = tf.mean<tf.Scalar>(tf.matMul(x, shared));
      const metrics = { accuracy: tf.scalar(1) };
      return {
        plus: { loss: tf.add(out, head), metrics },
        minus: { loss: tf.mul(out, -2), metrics },
      };
    },
    variables: new Map([
      ['shared', shared as tf.Variable],
      ['head', head as tf.Variable],
    ]),
    statistics: new Map(),
    models: {},
    parts: { encoder: [shared as tf.Variable] },
    stepsPerEpoch: rows.length,
    train: async function* () {
      for (const row of rows) yield await Promise.resolve({ x: tf.tensor2d([...row], [1, 2]) });
    },
    validation: null,
    test: () => {
      throw new Error('not asked for');
    },
    samples: null,
    network: null,
    modalities: [],
    dispose: () => tf.dispose([shared, head]),
  };
}

describe('gradientStatistics', () => {
  it('finds norms, cosines and the trace of the covariance', async () => {
    await tf.setBackend('cpu');
    await expectConstantMemory(async () => {
      const prepared = openLinear([
        [3, 4],
        [0, 2],
        [6, 0],
        [9, 9],
      ]);
      const record = await gradientStatistics(prepared, 2, 3);
      prepared.dispose();
      expect(record).toMatchObject({ kind: 'gradients', epoch: 2, batches: 3 });
      const [part] = record.parts;
      expect(part!.part).toBe('encoder');
      const [plus, minus] = part!.objectives;
      // Gradients (3, 4), (0, 2), (6, 0) with the mean (3, 2): distances² 4, 9 and 13.
      expect(plus!.norm).toBeCloseTo((5 + 2 + 6) / 3, 5);
      expect(plus!.meanNorm).toBeCloseTo(Math.sqrt(13), 5);
      expect(plus!.covarianceTrace).toBeCloseTo(26 / 2, 4);
      expect(minus!.covarianceTrace).toBeCloseTo((4 * 26) / 2, 4);
      expect(part!.cosines).toEqual([{ pair: ['plus', 'minus'], values: [-1, -1, -1] }]);
    });
  });

  it('takes a network that names no parts as one', async () => {
    await expectConstantMemory(async () => {
      const prepared = openLinear([
        [3, 4],
        [0, 2],
        [6, 0],
      ]);
      const { parts } = await gradientStatistics({ ...prepared, parts: {} }, 0, 3);
      prepared.dispose();
      expect(parts.map(({ part }) => part)).toEqual(['network']);
      const [plus, minus] = parts[0]!.objectives;
      // With the head's gradient, 1 for `plus` and none for `minus`, beside those of the encoder.
      expect(plus!.norm).toBeCloseTo((Math.sqrt(26) + Math.sqrt(5) + Math.sqrt(37)) / 3, 5);
      expect(plus!.covarianceTrace).toBeCloseTo(26 / 2, 4);
      expect(minus!.norm).toBeCloseTo((2 * (5 + 2 + 6)) / 3, 5);
    });
  });

  it('frees all when a batch fails', async () => {
    await expectConstantMemory(async () => {
      const prepared = openLinear([
        [1, 2],
        [3, 4],
      ]);
      let calls = 0;
      const failing: PreparedExperiment = {
        ...(prepared as unknown as PreparedExperiment),
        objectives: (batch, mode) => {
          calls += 1;
          if (calls > 4) throw new Error('out of memory');
          return prepared.objectives(batch as Batch, mode);
        },
      };
      await expect(gradientStatistics(failing, 0, 2)).rejects.toThrow('out of memory');
      prepared.dispose();
    });
  });
});

describe('lossLandscape', () => {
  it('has the present loss in its middle and leaves the weights as they were', async () => {
    await expectConstantMemory(async () => {
      const prepared = openLinear([
        [1, 1],
        [3, 1],
      ]);
      const { signal } = new AbortController();
      const open = prepared as unknown as PreparedExperiment;
      const record = (await lossLandscape(open, 1, 5, 2, signal))!;
      const again = await lossLandscape(open, 1, 5, 2, signal);
      expect([...(await prepared.variables.get('shared')!.data())]).toEqual([1, 2]);
      prepared.dispose();
      expect(again).toEqual(record);
      expect(record).toMatchObject({ samples: 2, coordinates: [-1, -0.5, 0, 0.5, 1] });
      // The mean of 3 and 5, and of the head's 3.
      expect(record.losses['plus']![2]![2]).toBeCloseTo(7, 5);
      expect(record.losses['minus']![2]![2]).toBeCloseTo(-8, 5);
      // Linear losses rise along a direction as they fall along its opposite, by what one filter's norm can do.
      const row = record.losses['minus']![2]!;
      expect(row[4]! - row[2]!).toBeCloseTo(row[2]! - row[0]!, 4);
      expect(Math.abs(row[4]! - row[2]!)).toBeGreaterThan(0);
      expect(Math.abs(row[4]! - row[2]!)).toBeLessThanOrEqual(2 * Math.hypot(2, 1) * Math.sqrt(5));
    });
  });

  it('stops when it is interrupted', async () => {
    await expectConstantMemory(async () => {
      const prepared = openLinear([[1, 1]]);
      const landscape = lossLandscape(
        prepared as unknown as PreparedExperiment,
        1,
        5,
        1,
        AbortSignal.abort(),
      );
      expect(await landscape).toBeNull();
      prepared.dispose();
    });
  });
});

describe('a run that is looked at', () => {
  it('trains as if nobody had looked, and has tables of what was seen', async () => {
    await useBackend('wasm');
    await expectConstantMemory(async () => {
      const experiment = requireExperiment('cg-mnist');
      const looked = { ...experiment, settings: { ...experiment.settings, ...analysisSettings } };
      const sizes = { 'train-size': '48', 'validation-size': '0', 'test-size': '20' };
      const settings = resolveSettings(looked, 'quick', {
        ...sizes,
        'batch-size': '16',
        epochs: '1',
        width: '2',
        observe: '1',
        batches: '2',
        grid: '3',
        'landscape-size': '16',
      });
      const train = async (look: boolean): Promise<RunRecord> => {
        const { signal } = new AbortController();
        const { result, epochs, steps, analyses } = await trainOnce(
          { experiment, settings, strategy: 'sum' },
          { backend: 'wasm', signal, ...(look ? { inspect: inspector(settings, 0, signal) } : {}) },
        );
        expect(result.error).toBeUndefined();
        const run = { strategy: 'sum', seed: 0, lr: 0.01 };
        return { ...run, epochs, steps, analysis: analyses, result, gaps: [] };
      };
      const [plain, seen] = [await train(false), await train(true)];
      expect(seen.epochs[0]!.test).toEqual(plain.epochs[0]!.test);
      expect(seen.epochs[0]!.train).toEqual(plain.epochs[0]!.train);
      expect(seen.analysis.map(({ kind }) => kind)).toEqual([
        'gradients',
        'gradients',
        'landscape',
      ]);
      const { parts } = seen.analysis[0] as GradientRecord;
      expect(parts.map(({ part, objectives }) => [part, objectives.length])).toEqual([
        ['gray', 2],
        ['color', 2],
      ]);
      expect(analysisCsv([plain])).toBeNull();
      const csv = analysisCsv([plain, seen])!;
      const count = (text: string): number => text.trim().split('\r\n').length - 1;
      expect(count(csv['gradients.csv'])).toBe(2 * 4);
      expect(count(csv['landscape.csv'])).toBe(3 * 9);
      expect(count(csv['cosines.csv'])).toBe(3 * 2);
    });
  });
});
