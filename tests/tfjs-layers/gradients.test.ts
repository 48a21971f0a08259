import {
  expectConstantMemory,
  normalTensor,
  testedDevices,
  trainableVariables,
  useDevice,
  withSeededRandom,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { installChainedOperations } from '../../packages/backends/src/registry/chained-operations.ts';
import {
  aliases,
  type LayerCase,
  layerCases,
  noFactories,
  withoutGradient,
} from './layer-cases.ts';
import {
  agreesWithDifferences,
  type Bench,
  expectEffect,
  expectGradients,
  type Gradients,
  lossesOf,
  separately,
  together,
} from './two-objectives.ts';

// Every layer that tf.layers makes, in a model with two objectives: the gradients that strategies combine, from one forward
// pass, against two tf.variableGrads on TensorFlow.js's own cpu backend; and that backend against central differences.

function benchOf({ inputs, classes, build, alone }: LayerCase): Bench {
  const symbols = inputs.map((shape) =>
    tfl.input({ shape: shape.slice(1), dtype: classes === undefined ? 'float32' : 'int32' }),
  );
  const model = withSeededRandom(
    1,
    () => alone?.() ?? tfl.model({ inputs: symbols, outputs: build(symbols) }),
  );
  const given = inputs.map((shape, k) =>
    tf.tidy(() => {
      const normal = normalTensor(shape, k + 1);
      if (classes === undefined) return tf.variable(normal);
      return tf.cast(tf.mod(tf.round(tf.mul(normal, 10)), classes), 'int32');
    }),
  );
  model.trainableWeights.forEach((weight, k) => {
    tf.tidy(() => {
      weight.write(tf.mul(normalTensor(weight.shape as number[], 100 + k), 0.5));
    });
  });
  return {
    variables: [
      ...given.filter((tensor): tensor is tf.Variable => tensor instanceof tf.Variable),
      ...trainableVariables(model),
    ],
    losses: () =>
      // The same noise in every pass.
      withSeededRandom(7, () => {
        const [x] = given;
        const output = model.apply(given.length === 1 ? x! : given, { training: true });
        const y = output as tf.Tensor;
        return lossesOf(y);
      }),
    dispose: () => {
      model.dispose();
      tf.dispose(given);
    },
  };
}

const cases = Object.entries(layerCases).flatMap(([factory, list]) =>
  list.map((each, k) => ({ name: list.length > 1 ? `${factory} ${k + 1}` : factory, ...each })),
);

/** Cases that TensorFlow.js's own cpu backend has wrong, or cannot do; our kernels and gradients can. */
const wrongOnStockCpu: readonly string[] = [
  'thresholdedReLU',
  'conv1d 2',
  'conv2d 2',
  'conv3dTranspose',
  'upSampling2d 1',
  'upSampling2d 2',
  'masking',
  'batchNormalization 3',
  'averagePooling1d 2',
  'averagePooling2d 2',
  'averagePooling3d 2',
  'resizing 1',
  'resizing 2',
  'randomWidth',
];

const references = new Map<string, readonly Gradients[]>();
const stockFailures: string[] = [];

beforeAll(async () => {
  await tf.setBackend('cpu');
  installChainedOperations();
  for (const each of cases) {
    const bench = benchOf(each);
    try {
      const found = separately(bench);
      if (agreesWithDifferences(bench, found)) references.set(each.name, found);
      else stockFailures.push(each.name);
    } catch {
      stockFailures.push(each.name);
    }
    bench.dispose();
  }
});

describe('the layers of TensorFlow.js', () => {
  it('are all here', () => {
    const covered = [layerCases, aliases, withoutGradient].flatMap((each) => Object.keys(each));
    expect([...covered, ...noFactories].sort()).toEqual(Object.keys(tfl.layers).sort());
    for (const [alias, name] of Object.entries(aliases)) {
      expect(Object.keys(layerCases), alias).toContain(name);
    }
  });

  it('have right gradients on stock cpu but for those that we mend', () => {
    expect(stockFailures).toEqual(wrongOnStockCpu);
  });
});

describe.each(testedDevices())('two objectives through each layer on $name', (device) => {
  beforeAll(async () => {
    await useDevice(device);
  });

  it.each(cases)('$name', async (each) => {
    await expectConstantMemory(async () => {
      const bench = benchOf(each);
      const found = await together(bench);
      const reference = references.get(each.name);
      if (reference === undefined) {
        expect(agreesWithDifferences(bench, found)).toBe(true);
        // Not to be repeated less exactly on the next device.
        references.set(each.name, found);
      } else {
        expectGradients(bench, found, reference);
      }
      expectEffect(found);
      bench.dispose();
    });
  });
});
