import { expectConstantMemory, startTestBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchNormalization } from './batch-normalization.ts';
import { registerLayers } from './register-layers.ts';

const shapes = [
  [6, 3],
  [4, 5, 2, 3],
  [3, 4, 4, 1],
];

interface Trial {
  readonly outputs: number[];
  readonly inference: number[];
  readonly gradients: number[][];
  readonly moving: number[][];
}

/** Outputs, the gradients of `Σ weight · tanh(y)` by x, γ and β, and the moving statistics after two training calls. */
function trial(layer: tfl.layers.Layer, shape: number[]): Trial {
  return tf.tidy(() => {
    const channels = shape.at(-1)!;
    const x = tf.variable(tf.randomNormal(shape, 2, 3, 'float32', 11));
    const weight = tf.randomNormal(shape, 0, 1, 'float32', 12);
    layer.apply(x);
    const initial = layer.getWeights();
    layer.setWeights([
      tf.randomUniform([channels], 0.5, 2, 'float32', 13),
      tf.randomUniform([channels], -1, 1, 'float32', 14),
      ...initial.slice(2),
    ]);
    const train = () => layer.apply(x, { training: true }) as tf.Tensor;
    const weights = layer.trainableWeights.map((w) => w.read());
    const sources = [x, ...weights.filter((w) => w instanceof tf.Variable)];
    expect(sources).toHaveLength(3);
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.mul(weight, tf.tanh(train()))) as tf.Scalar,
      sources,
    );
    const outputs = [...train().dataSync()];
    const result = {
      outputs,
      inference: [...(layer.apply(x) as tf.Tensor).dataSync()],
      gradients: sources.map(({ name }) => [...grads[name]!.dataSync()]),
      moving: layer
        .getWeights()
        .slice(2)
        .map((w) => [...w.dataSync()]),
    };
    x.dispose();
    layer.dispose();
    return result;
  });
}

function expectNear(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  const largest = Math.max(1, ...expected.map(Math.abs));
  // Float32 sums of at most 120 terms, in another order.
  found.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!) / largest).toBeLessThan(5e-6);
  });
}

describe.each(testedBackends())('batchNormalization on %s', (backend) => {
  beforeAll(async () => {
    await startTestBackend(backend === 'wasm' ? 'wasm' : 'cpu');
  });

  it.each(shapes)(
    'is the layer of TensorFlow.js in value, gradient and statistics (%j …)',
    async (...shape) => {
      await expectConstantMemory(() => {
        const ours = trial(batchNormalization({ momentum: 0.7, epsilon: 1e-3 }), shape);
        const theirs = trial(
          tfl.layers.batchNormalization({ momentum: 0.7, epsilon: 1e-3 }),
          shape,
        );
        expectNear(ours.outputs, theirs.outputs);
        expectNear(ours.inference, theirs.inference);
        ours.gradients.forEach((gradient, k) => {
          expectNear(gradient, theirs.gradients[k]!);
        });
        ours.moving.forEach((statistic, k) => {
          expectNear(statistic, theirs.moving[k]!);
        });
      });
    },
  );

  it('moves its statistics once a training call, and never in inference', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const layer = batchNormalization();
        const x = tf.tensor2d([[1], [3]]);
        layer.apply(x, { training: true });
        const moving = () =>
          layer
            .getWeights()
            .slice(2)
            .map((w) => w.dataSync()[0]!);
        // 0.9 · 0 + 0.1 · 2 and 0.9 · 1 + 0.1 · 1.
        expect(moving()[0]).toBeCloseTo(0.2, 6);
        expect(moving()[1]).toBeCloseTo(1, 6);
        const before = moving();
        layer.apply(x);
        layer.apply(x, { training: false });
        expect(moving()).toEqual(before);
        layer.dispose();
      });
    });
  });

  it('survives a save and a load', async () => {
    await expectConstantMemory(async () => {
      const input = tfl.input({ shape: [3] });
      const layer = batchNormalization({ name: 'norm', momentum: 0.25, epsilon: 0.5 });
      const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
      const x = tf.tensor2d([
        [1, 2, 3],
        [3, 5, 9],
      ]);
      tf.dispose(model.apply(x, { training: true }) as tf.Tensor);
      let saved: tf.io.ModelArtifacts | undefined;
      await model.save(
        tf.io.withSaveHandler((artifacts) => {
          saved = artifacts;
          return Promise.resolve({
            modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' },
          });
        }),
      );
      registerLayers();
      const copy = await tfl.loadLayersModel(tf.io.fromMemory(saved!));
      expect(copy.getLayer('norm').getConfig()).toMatchObject({ momentum: 0.25, epsilon: 0.5 });
      const outputs = [model, copy].map((m) => m.predict(x) as tf.Tensor);
      expect([...outputs[1]!.dataSync()]).toEqual([...outputs[0]!.dataSync()]);
      tf.dispose([x, outputs]);
      model.dispose();
      copy.dispose();
    });
  });

  it('refuses options out of range', () => {
    expect(() => batchNormalization({ epsilon: 0 })).toThrow(
      'Option `epsilon` of `batchNormalization` should be a number > 0. Found 0.',
    );
    expect(() => batchNormalization({ momentum: 1.5 })).toThrow('`momentum`');
  });
});
