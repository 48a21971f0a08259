import * as models from '@multigrad/models';
import { expectConstantMemory, testedDevices, useDevice } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layerMethods, places } from './layers.ts';
import { lossMethods } from './losses.ts';
import type { Weights } from './method.ts';
import { networkMethods } from './networks.ts';

// Every loss, layer, encoder, fusion, exchange and sharing of @multigrad/models: on each backend with our
// kernels a training changes the weights as on TensorFlow.js's own cpu backend, and otherwise than without the method.

const methods = [...networkMethods, ...lossMethods, ...layerMethods];

/** Of a weight tensor's largest number, or of a hundredth of the largest of all, where a tensor has next to no gradient. */
const tolerance = 1e-5;

const references = new Map<string, Weights>();
const table: Record<string, Record<string, string>> = {};

const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The largest difference of weights of the same name and size. */
function difference(found: Weights, expected: Weights): number {
  const shared = Object.entries(expected).filter(
    ([name, values]) => found[name]?.length === values.length,
  );
  expect(shared.length).toBeGreaterThan(0);
  const least = 0.01 * largest(shared.flatMap(([, values]) => values));
  return largest(
    shared.map(([name, values]) => {
      const apart = largest(values.map((value, i) => value - found[name]![i]!));
      return apart / Math.max(largest(values), least);
    }),
  );
}

beforeAll(async () => {
  await tf.setBackend('cpu');
  for (const { kind, name, train } of methods) references.set(`${kind} ${name}`, await train());
});

afterAll(() => {
  console.table(table);
});

describe('the methods of @multigrad/models', () => {
  it('are all here', () => {
    const named = new Set(methods.map(({ name }) => name));
    const others = [
      // Put networks together, or say something of labels and results.
      'accuracy',
      'AngleErrors',
      'ConfusionCounts',
      'contributionLog',
      'modalityContributions',
      'modalityMeans',
      'sampleValuation',
      'shapleyInteractions',
      'shapleyValues',
      'assertLabels',
      'classifierHead',
      'multiTaskNetwork',
      'MultiTaskNetwork',
      'multimodalNetwork',
      'MultimodalNetwork',
      'registerLayers',
      'saveWithStockLayers',
      // Here under the name of its kind or its class.
      'batchNormalization',
      'crossAttention',
      'dropout',
    ];
    for (const name of Object.keys(models)) {
      if (!others.includes(name)) expect([...named], name).toContain(name);
    }
  });

  it('are all layers that are registered', () => {
    const { classNameMap } = tf.serialization.SerializationMap.getMap();
    models.registerLayers();
    const own = Object.keys(classNameMap).filter((name) => name.startsWith('Multigrad'));
    expect([...own, 'gelu', 'convolution'].sort()).toEqual(Object.keys(places).sort());
  });
});

describe.each(testedDevices())('on $name', (device) => {
  beforeAll(async () => {
    await useDevice(device);
  });

  it.each(methods)('$kind $name', async ({ kind, name, train, without }) => {
    await expectConstantMemory(async () => {
      const found = await train();
      const reference = references.get(`${kind} ${name}`)!;
      expect(Object.keys(found)).toEqual(Object.keys(reference));
      const apart = difference(found, reference);
      const kinds = (table[kind] ??= {});
      const [count, most] = (kinds[device.name] ?? '0 within 0').split(' within ').map(Number);
      kinds[device.name] = `${count! + 1} within ${Math.max(most!, apart).toExponential(1)}`;
      expect(apart).toBeLessThanOrEqual(tolerance);
      expect(difference(await without(), found)).toBeGreaterThan(100 * tolerance);
    });
  });
});
