import {
  expectConstantMemory,
  savedAndLoaded,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { stagesOf } from '../exchanges/stages.ts';
import { namedVariables } from '../weights/network-weights.ts';
import { lenet } from './lenet.ts';
import { multilayerPerceptron } from './multilayer-perceptron.ts';
import { resnet18 } from './resnet18.ts';
import { temporalTransformer } from './temporal-transformer.ts';
import { waveformEncoder } from './waveform-encoder.ts';

const sequence = { length: 4, inputs: 3, width: 4, heads: 2 };
const small = { channels: 2, inputHeight: 8, inputWidth: 8, width: 2 };

interface Case {
  readonly make: (name: string, seed: number) => LayersModel;
  readonly features: number[];
  readonly stages: string[];
  /** Names of some weights. */
  readonly weights: string[];
}

const cases: Record<string, Case> = {
  'multilayer perceptron': {
    make: (name, seed) =>
      multilayerPerceptron({ name, shape: [2, 3], hidden: [5], features: 4, seed }),
    features: [4],
    stages: ['flatten', 'dense1', 'dense2'],
    weights: ['dense1/kernel', 'dense2/bias'],
  },
  LeNet: {
    make: (name, seed) =>
      lenet({
        name,
        channels: 1,
        width: 2,
        secondWidth: 3,
        features: 4,
        inputHeight: 20,
        inputWidth: 16,
        seed,
      }),
    features: [4],
    stages: ['conv1', 'pool1', 'conv2', 'pool2', 'flatten', 'dense'],
    weights: ['conv1/kernel', 'conv2/bias', 'dense/kernel'],
  },
  'ResNet-18': {
    make: (name, seed) => resnet18({ name, ...small, seed }),
    features: [16],
    stages: ['stem', 'stage1', 'stage2', 'stage3', 'stage4', 'average'],
    weights: ['stem/conv/kernel', 'stage1/block1/conv1/kernel', 'stage4/block1/shortcut/kernel'],
  },
  'ResNet-18 of frames, not pooled': {
    make: (name, seed) => resnet18({ name, ...small, stem: 'small', frames: 2, pool: false, seed }),
    features: [2, 1, 1, 16],
    stages: ['stem', 'stage1', 'stage2', 'stage3', 'stage4'],
    weights: ['stem/norm/moving_mean', 'stage2/block2/norm2/gamma'],
  },
  'waveform encoder': {
    make: (name, seed) => waveformEncoder({ name, length: 1024, width: 2, seed }),
    features: [8],
    stages: [1, 2, 3, 4]
      .flatMap((k) => [`conv${k}`, `norm${k}`, `relu${k}`, `pool${k}`])
      .concat('average'),
    weights: ['conv1/kernel', 'norm4/beta'],
  },
  'temporal transformer': {
    make: (name, seed) => temporalTransformer({ name, ...sequence, seed }),
    features: [4],
    stages: ['projection', 'position', 'block1', 'block2', 'norm', 'average'],
    weights: [
      'position/embedding',
      'block2/attention/query/kernel',
      'block1/dense2/bias',
      'norm/gamma',
    ],
  },
  'temporal transformer, not pooled': {
    make: (name, seed) => temporalTransformer({ name, ...sequence, pool: false, blocks: 1, seed }),
    features: [4, 4],
    stages: ['projection', 'position', 'block1', 'norm'],
    weights: ['block1/norm1/beta'],
  },
};

const input = (model: LayersModel, count = 2): tf.Tensor =>
  tf.randomNormal([count, ...(model.inputs[0]!.shape.slice(1) as number[])], 0, 1, 'float32', 9);

const values = (model: LayersModel) =>
  Array.from(namedVariables([model]), ([name, weight]) => [name, [...weight.dataSync()]] as const);

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe.each(Object.entries(cases))('%s', (_, { make, features, stages, weights }) => {
    it('has the features, the stages and the weights that it says, from its seed', async () => {
      await expectConstantMemory(() => {
        const [model, same, other, named] = [
          make('e', 1),
          make('e', 1),
          make('e', 2),
          make('f', 1),
        ];
        expect(model.outputs[0]!.shape).toEqual([null, ...features]);
        expect(stagesOf(model).map(({ layer }) => layer.name)).toEqual(stages.map((s) => `e/${s}`));
        const names = [...namedVariables([model]).keys()];
        for (const weight of weights) expect(names).toContain(`e/${weight}`);
        expect(names.every((name) => name.startsWith('e/'))).toBe(true);
        expect(values(model)).toEqual(values(same));
        const drawn = (from: LayersModel) =>
          values(from)
            .map(([, numbers]) => numbers)
            .filter((numbers) => new Set(numbers).size > 1);
        for (const different of [other, named]) {
          drawn(model).forEach((numbers, k) => expect(numbers).not.toEqual(drawn(different)[k]));
        }
        for (const made of [model, same, other, named]) made.dispose();
      });
    });

    it('survives a save and a load', async () => {
      await expectConstantMemory(async () => {
        const model = make('e', 1);
        const x = input(model);
        tf.dispose(model.apply(x, { training: true }) as tf.Tensor);
        const copy = await savedAndLoaded(model);
        expect(values(copy).sort()).toEqual(values(model).sort());
        const [found, expected] = [copy, model].map((m) => m.predict(x) as tf.Tensor);
        expect(found!.shape).toEqual([2, ...features]);
        expect(found!.dataSync()).toEqual(expected!.dataSync());
        tf.dispose([x, found!, expected!]);
        model.dispose();
        copy.dispose();
      });
    });
  });

  describe('resnet18', () => {
    it('has the weights of the published network', async () => {
      await expectConstantMemory(() => {
        const model = resnet18({ name: 'r', channels: 3, inputHeight: 64, inputWidth: 64 });
        const trained = model.trainableWeights.reduce(
          (sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]),
          0,
        );
        // torchvision's 11,689,512, less its classifier of 512 · 1000 + 1000.
        expect(trained).toBe(11_176_512);
        const size = (stage: string) => model.getLayer(`r/${stage}`).outputShape;
        expect(size('stem')).toEqual([null, 16, 16, 64]);
        expect(size('stage4')).toEqual([null, 2, 2, 512]);
        model.dispose();
        const gray = resnet18({
          name: 'g',
          channels: 1,
          inputHeight: 32,
          inputWidth: 32,
          stem: 'small',
          width: 1,
        });
        expect(gray.getLayer('g/stem').outputShape).toEqual([null, 32, 32, 1]);
        gray.dispose();
      });
    });

    it('averages the features of its frames', async () => {
      await expectConstantMemory(() => {
        const options = { name: 'r', ...small, stem: 'small', seed: 3 } as const;
        const [one, many] = [resnet18(options), resnet18({ ...options, frames: 3 })];
        tf.tidy(() => {
          const clip = input(many);
          const frames = tf.unstack(clip, 1).map((frame) => one.predict(frame) as tf.Tensor);
          const expected = tf.mean(tf.stack(frames), 0).dataSync();
          (many.predict(clip) as tf.Tensor).dataSync().forEach((value, i) => {
            expect(value).toBeCloseTo(expected[i]!, 5);
          });
        });
        one.dispose();
        many.dispose();
      });
    });
  });

  it('refuses options out of range, and holds nothing', async () => {
    await expectConstantMemory(() => {
      expect(() => multilayerPerceptron({ name: 'm', shape: [] })).toThrow('`shape`');
      expect(() => multilayerPerceptron({ name: 'm', shape: [3], hidden: [0] })).toThrow(
        'Option `hidden` of `multilayerPerceptron` should be an array of integers >= 1.',
      );
      expect(() => lenet({ name: 'l', channels: 1, inputHeight: 15 })).toThrow(
        'Option `inputHeight` of `lenet` should be an integer >= 16. Found 15.',
      );
      expect(() => resnet18({ name: 'r', channels: 3 } as never)).toThrow('`inputHeight`');
      expect(() => resnet18({ name: 'r', ...small, stem: 'tiny' as 'small' })).toThrow('"tiny"');
      expect(() => waveformEncoder({ name: 'w', length: 0 })).toThrow('`length`');
      expect(() => temporalTransformer({ name: 't', length: 4, inputs: 3, width: 6 })).toThrow(
        'Option `heads` of `temporalTransformer` should divide `width`, 6. Found 4.',
      );
    });
  });
});
