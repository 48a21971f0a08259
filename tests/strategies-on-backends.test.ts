import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import {
  clippedGradients,
  normalizedGradients,
  onlyObjectives,
  perGroup,
  refreshedEvery,
  weightMomentum,
} from '@multigrad/composition';
import { MultiObjectiveTrainer } from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sdmgrad } from '@multigrad/strategy-sdmgrad';
import { sum } from '@multigrad/strategy-sum';
import { upgrad } from '@multigrad/strategy-upgrad';
import { expectConstantMemory, testedBackends, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtinPlugins } from '../packages/cli/src/strategies/builtin.ts';

// A strategy that does nothing on some backend, or something else, is found by training with it there: the weights have to
// change as on cpu, and not as the plain sum changes them.

const wrappers: Record<string, () => GradientStrategy> = {
  'clippedGradients(sum)': () => clippedGradients(sum(), { norm: 0.2 }),
  'normalizedGradients(sum)': () => normalizedGradients(sum()),
  'onlyObjectives(mgda)': () => onlyObjectives(mgda(), ['near', 'far']),
  'perGroup(mmpareto)': () => perGroup({ default: mmpareto() }),
  'refreshedEvery(upgrad)': () => refreshedEvery(upgrad(), { steps: 2 }),
  'weightMomentum(pcgrad)': () => weightMomentum(pcgrad(), { alpha: 0.5 }),
};

/** Every strategy and scalarization as it comes, by name; but SDMGrad, whose default rate amplifies rounding. */
const strategies: readonly (readonly [string, () => GradientStrategy])[] = [
  ...builtinPlugins.map(
    (plugin) =>
      [
        plugin.name,
        () => (plugin.name === 'sdmgrad' ? sdmgrad({ learningRate: 1 / 3 }) : plugin.create()),
      ] as const,
  ),
  ...Object.entries(wrappers),
];

const samples = 36;
const inputs = 48;
const hidden = 96;
const outputs = 8;

/** The change of all weights by nine steps, or by three of three batches each. */
async function trained(strategy: GradientStrategy): Promise<Float32Array> {
  const normal = (shape: number[], seed: number): tf.Tensor =>
    tf.randomNormal(shape, 0, 1, 'float32', seed);
  const variables = [
    variableOf(() => tf.mul(normal([inputs, hidden], 1), 0.15)),
    variableOf(() => tf.mul(normal([hidden], 2), 0.1)),
    variableOf(() => tf.mul(normal([hidden, outputs], 3), 0.1)),
  ] as const;
  const [first, bias, second] = variables;
  const data = tf.tidy(() => ({
    x: normal([samples, inputs], 4) as tf.Tensor2D,
    near: normal([samples, outputs], 5) as tf.Tensor2D,
    far: tf.mul<tf.Tensor2D>(normal([samples, outputs], 6), 3),
  }));
  const before = variables.map((variable) => variable.dataSync());
  const optimizer = tf.train.sgd(0.05);
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ x, near, far }: typeof data) => {
      const output = tf.matMul(
        tf.tanh(tf.add(tf.matMul(x, first as tf.Tensor2D), bias)),
        second as tf.Tensor2D,
      );
      return {
        near: tf.losses.meanSquaredError(near, output),
        far: tf.losses.meanSquaredError(far, output),
        small: tf.mean(tf.square(output)),
      };
    },
    variables,
    strategy,
    optimizer,
  });
  await trainer.fit(data, { epochs: 3, batchSize: samples / 3 });
  const after = variables.map((variable) => variable.dataSync());
  const change = after.flatMap((values, k) =>
    Array.from(values, (value, at) => value - before[k]![at]!),
  );
  trainer.dispose();
  optimizer.dispose();
  tf.dispose([...variables, ...Object.values(data)]);
  return Float32Array.from(change);
}

function apart(found: Float32Array, expected: Float32Array): number {
  const length = (vector: Float32Array): number => Math.hypot(...vector);
  const difference = found.map((value, at) => value - expected[at]!);
  return length(difference) / length(expected);
}

const onCpu = new Map<string, Float32Array>();

beforeAll(async () => {
  await useBackend('cpu');
  for (const [name, create] of strategies) onCpu.set(name, await trained(create()));
}, 300_000);

describe('on cpu', () => {
  it.each(strategies.map(([name]) => name).filter((name) => name !== 'sum'))(
    '%s trains, and not as the plain sum does',
    (name) => {
      const change = onCpu.get(name)!;
      expect(Math.hypot(...change)).toBeGreaterThan(1e-4);
      expect(apart(change, onCpu.get('sum')!)).toBeGreaterThan(1e-3);
    },
  );
});

const elsewhere = testedBackends(['wasm']).flatMap((backend) =>
  backend === 'wasm' ? [1, 2].map((threads) => ({ backend, threads })) : [{ backend, threads: 0 }],
);

describe.each(elsewhere)('on $backend, threads $threads', ({ backend, threads }) => {
  beforeAll(async () => {
    if (threads === 0) {
      await useBackend(backend);
      return;
    }
    if (tf.engine().registry[backend] !== undefined) tf.removeBackend(backend);
    const report = await useBackend(backend, { threads });
    expect(report.wasm?.threads).toBe(threads);
  });

  afterAll(() => {
    if (threads > 0) tf.removeBackend(backend);
  });

  it.each(strategies)('%s changes weights as on cpu', async (name, create) => {
    const change = await expectConstantMemory(() => trained(create()));
    expect(apart(change, onCpu.get(name)!)).toBeLessThan(1e-5);
  });
});
