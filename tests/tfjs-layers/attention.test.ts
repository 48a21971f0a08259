import {
  expectConstantMemory,
  normalTensor,
  testedDevices,
  useDevice,
  withSeededRandom,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AttentionLayers, loadAttentionLayers } from './attention-layers.ts';
import {
  agreesWithDifferences,
  type Bench,
  expectEffect,
  expectGradients,
  type Gradients,
  lossesOf,
  together,
} from './two-objectives.ts';

// The attention layers of TensorFlow.js, whose einsum has no gradient there: two objectives through each, against central
// differences, and the same on every backend.

let attention: AttentionLayers;

beforeAll(async () => {
  // After the registered layers: the last registration of a class counts.
  attention = await loadAttentionLayers();
});

const cases: Readonly<Record<string, () => (x: tf.Tensor) => tf.Tensor>> = {
  MultiHeadAttention: () => {
    const layer = new attention.MultiHeadAttention({ numHeads: 2, keyDim: 3 });
    return (x) => layer.call(x, { value: x, useCausalMask: true });
  },
  EinsumDense: () => {
    const layer = new attention.EinsumDense({
      equation: 'abc,cd->abd',
      outputShape: [null, 3],
      biasAxes: 'd',
    });
    return (x) => layer.apply(x);
  },
  TransformerDecoder: () => {
    const layer = new attention.TransformerDecoder({
      intermediateDim: 8,
      numHeads: 2,
      activation: 'tanh',
    });
    return (x) => layer.apply(x);
  },
};

/** A layer on one input. Its weights are those that the first call makes: these layers do not list all of them. */
function benchOf(make: () => (x: tf.Tensor) => tf.Tensor): Bench {
  const held = new Set(Object.keys(tf.engine().registeredVariables));
  const input = tf.tidy(() => tf.variable(normalTensor([2, 5, 4], 1)));
  const layer = withSeededRandom(1, make);
  tf.tidy(() => void withSeededRandom(2, () => layer(input)));
  const made = Object.values(tf.engine().registeredVariables).filter(
    ({ name, trainable }) => !held.has(name) && trainable,
  );
  const variables = reached(() => layer(input), made);
  variables.forEach((variable, k) => {
    if (variable === input) return;
    tf.tidy(() => variable.assign(tf.mul(normalTensor(variable.shape, 100 + k), 0.5)));
  });
  return {
    variables,
    losses: () => lossesOf(layer(input)),
    dispose: () => tf.dispose(made),
  };
}

/** Those that the output depends on: a decoder makes a layer norm that it never uses. */
function reached(output: () => tf.Tensor, variables: readonly tf.Variable[]): tf.Variable[] {
  return tf.tidy(() => {
    const { grads } = tf.variableGrads(() => tf.sum(output()), [...variables]);
    return variables.filter(({ name }) => (grads[name] as tf.Tensor | null | undefined) != null);
  });
}

const references = new Map<string, readonly Gradients[]>();

describe.each(testedDevices())('attention layers on $name', (device) => {
  beforeAll(async () => {
    await useDevice(device);
  });

  it.each(Object.keys(cases))('%s has its gradient', async (name) => {
    await expectConstantMemory(async () => {
      const bench = benchOf(cases[name]!);
      expect(bench.variables.length).toBeGreaterThan(1);
      const found = await together(bench);
      expectEffect(found);
      const reference = references.get(name);
      if (reference === undefined) {
        expect(agreesWithDifferences(bench, found)).toBe(true);
        references.set(name, found);
      } else {
        expectGradients(bench, found, reference, 'all');
      }
      bench.dispose();
    });
  });
});
