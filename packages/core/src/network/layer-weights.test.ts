import '@tensorflow/tfjs-backend-cpu';
import { installChainedOperations } from '../../../backends/src/registry/chained-operations.ts';
import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { startTestBackend } from '@multigrad/test-support';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LayerSource, modelVariables } from './layer-weights.ts';

const { layers } = tfl;

beforeAll(async () => {
  // Stock recurrent layers call methods that tensors of the core package alone do not have.
  installChainedOperations();
  await startTestBackend();
});

/** A model with recurrent layers, a wrapper, a nested model with batch norm, and two outputs; layers with automatic names. */
function sequenceModel(): tfl.LayersModel {
  const words = tfl.input({ shape: [6] });
  const vectors = layers
    .embedding({ inputDim: 5, outputDim: 4, maskZero: true })
    .apply(words) as tfl.SymbolicTensor;
  const inner = layers.lstm({ units: 3, returnSequences: true }) as tfl.RNN;
  const both = layers
    .bidirectional({ layer: inner, mergeMode: 'concat' })
    .apply(vectors) as tfl.SymbolicTensor;
  const last = layers.gru({ units: 2 }).apply(both) as tfl.SymbolicTensor;
  const nested = tfl.sequential({
    layers: [layers.dense({ units: 4, inputShape: [2] }), layers.batchNormalization()],
  });
  const steps = layers.timeDistributed({ layer: layers.dense({ units: 2 }) }).apply(both);
  const cells = [layers.gruCell({ units: 2 }), layers.lstmCell({ units: 2 })];
  const stacked = layers.rnn({ cell: cells as never }).apply(steps as tfl.SymbolicTensor);
  const head = layers.dense({ units: 2, name: 'head' }).apply(nested.apply(last));
  return tfl.model({ inputs: words, outputs: [head, stacked] as tfl.SymbolicTensor[] });
}

const namesOf = (source: LayerSource): string[] => [...modelVariables(source).variables.keys()];

describe('modelVariables', () => {
  it('names weights by their place in the model, whatever was made before in the process', () => {
    const first = sequenceModel();
    const second = sequenceModel();
    const names = namesOf(first);
    expect(names).toEqual(
      expect.arrayContaining([
        'embedding_Embedding1/embeddings',
        'bidirectional_Bidirectional1/backward_lstm_LSTM1/recurrent_kernel',
        'gru_GRU1/bias',
        'dense_Dense1/kernel',
        'time_distributed_TimeDistributed1/kernel',
        'rnn_RNN1/RNNCell_1/kernel',
        'head/bias',
      ]),
    );
    expect(second.weights.map(({ originalName }) => originalName)).not.toEqual(
      first.weights.map(({ originalName }) => originalName),
    );
    expect(namesOf(second)).toEqual(names);
    expect([...modelVariables(second).statistics.keys()]).toEqual([
      'batch_normalization_BatchNormalization1/moving_mean',
      'batch_normalization_BatchNormalization1/moving_variance',
    ]);
    const { variables, statistics } = modelVariables(first);
    expect(new Set([...variables.values(), ...statistics.values()])).toEqual(
      new Set(first.weights.map((weight) => weight.read())),
    );
    first.dispose();
    second.dispose();
  });

  it('gives the same names and order whatever is frozen, and says what is trained now', () => {
    const model = sequenceModel();
    const { variables, statistics, trained } = modelVariables(model);
    const [nested] = model.layers.filter((layer) => layer instanceof tfl.Sequential);
    const normal = nested!.layers[1]!;
    for (const freeze of [model.getLayer('head'), nested!, normal]) {
      freeze.trainable = false;
      const again = modelVariables(model);
      expect([...again.variables.keys()]).toEqual([...variables.keys()]);
      expect([...again.statistics.keys()]).toEqual([...statistics.keys()]);
      expect(trained()).toEqual(new Set(model.trainableWeights.map((weight) => weight.read())));
      freeze.trainable = true;
    }
    expect(trained().size).toBe(variables.size);
    model.trainable = false;
    expect(trained().size).toBe(0);
    model.dispose();
  });

  it('takes layers, lists, weights and models by name; a weight that several share comes once', () => {
    const shared = layers.dense({ units: 2, inputShape: [3], name: 'shared' });
    const one = tfl.sequential({ layers: [shared, layers.dense({ units: 1 })] });
    const two = tfl.model({
      inputs: one.inputs,
      outputs: layers
        .dense({ units: 1 })
        .apply(shared.output as tfl.SymbolicTensor) as tfl.SymbolicTensor,
    });
    expect(namesOf(one.layers[0]!)).toEqual(['shared/kernel', 'shared/bias']);
    expect(namesOf([one, two])).toEqual([
      'shared/kernel',
      'shared/bias',
      'dense_Dense1/kernel',
      'dense_Dense1/bias',
      'dense_Dense2/kernel',
      'dense_Dense2/bias',
    ]);
    expect(namesOf({ one, two: [two] })).toEqual([
      'one/shared/kernel',
      'one/shared/bias',
      'one/dense_Dense1/kernel',
      'one/dense_Dense1/bias',
      'two/dense_Dense1/kernel',
      'two/dense_Dense1/bias',
    ]);
    const { variables, trained } = modelVariables(one.trainableWeights);
    expect([...variables.keys()]).toEqual(namesOf(one));
    shared.trainable = false;
    expect(trained().size).toBe(2);
    one.dispose();
    two.layers.at(-1)!.dispose();
  });

  it('keeps layers of one name apart', () => {
    const make = (): tfl.Sequential =>
      tfl.sequential({ layers: [layers.dense({ units: 1, inputShape: [1], name: 'head' })] });
    const [one, two] = [make(), make()];
    expect(namesOf([one, two])).toEqual([
      'head/kernel',
      'head/bias',
      'head_1/kernel',
      'head_1/bias',
    ]);
    one.dispose();
    two.dispose();
  });

  it('leaves names alone that only look automatic', () => {
    const model = tfl.sequential({
      layers: [
        layers.dense({ units: 1, inputShape: [1], name: 'block_A7' }),
        layers.dense({ units: 1, name: 'stage_3' }),
      ],
    });
    expect(namesOf(model)).toEqual([
      'block_A7/kernel',
      'block_A7/bias',
      'stage_3/kernel',
      'stage_3/bias',
    ]);
    model.dispose();
  });

  it('finds the statistics of layers within wrappers and layers of your own', () => {
    class Block extends layers.Layer {
      static readonly className = 'Block';
      readonly #inner = layers.batchNormalization({ name: 'inner' });
      readonly parts: readonly tfl.layers.Layer[] = [this.#inner];

      override build(shape: tfl.Shape): void {
        this.#inner.build(shape);
        super.build(shape);
      }

      override get trainableWeights(): tfl.LayerVariable[] {
        return this.#inner.trainableWeights;
      }

      override get nonTrainableWeights(): tfl.LayerVariable[] {
        return this.#inner.nonTrainableWeights;
      }

      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return (Array.isArray(inputs) ? inputs[0]! : inputs).clone();
      }
    }
    const model = tfl.sequential({
      layers: [
        layers.timeDistributed({ layer: layers.batchNormalization(), inputShape: [2, 3] }),
        new Block({}),
      ],
    });
    expect(modelVariables(model).statistics.size).toBe(4);
    model.dispose();
  });

  it('refuses what has no weights, and what is no layer', () => {
    const unbuilt = layers.dense({ units: 1, name: 'later' });
    expect(() => modelVariables(unbuilt)).toThrow('should have weights. Found none in `later`');
    expect(() => modelVariables([])).toThrow('Found none in an empty list');
    const wrong = { encoder: [3] } as unknown as LayerSource;
    expect(() => modelVariables(wrong)).toThrow(
      'Entry `encoder` of `variables` should hold layers or models of tf.layers. Found 3 at place 0.',
    );
  });
});
