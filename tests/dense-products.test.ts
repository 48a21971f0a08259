import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import {
  GradientMemory,
  type IntegrateOptions,
  integrateGradients,
  MultiObjectiveTrainer,
} from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { graddrop } from '@multigrad/strategy-graddrop';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { moco } from '@multigrad/strategy-moco';
import { modo } from '@multigrad/strategy-modo';
import { upgrad } from '@multigrad/strategy-upgrad';
import {
  disposeOptimizer,
  expectConstantMemory,
  testedBackends,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

// Gradients of dense layers that nobody needs are not computed: their inner products and their weighted sum follow from the
// layer's input and the gradients of its output.

/** A limit that limits nothing: with it each objective's gradients are computed. */
const withGradients: IntegrateOptions = { clipObjectives: { globalNorm: 1e30 } };

interface Sizes {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly count: number;
  readonly turned?: boolean;
  readonly seed?: number;
}

interface Layer {
  readonly x: tf.Tensor2D;
  readonly matrix: tf.Variable<tf.Rank.R2>;
  readonly bias: tf.Variable<tf.Rank.R1>;
  readonly targets: readonly tf.Tensor2D[];
  readonly losses: () => Record<string, tf.Scalar>;
  readonly variables: tf.Variable[];
  readonly dispose: () => void;
}

/** A layer with a ReLU, and K objectives behind it. */
function layerOf({ batch, inputs, outputs, count, turned = false, seed = 0 }: Sizes): Layer {
  const x = tf.randomNormal<tf.Rank.R2>([batch, inputs], 0, 1, 'float32', seed + 1);
  const shape: [number, number] = turned ? [outputs, inputs] : [inputs, outputs];
  const matrix = variableOf(() =>
    tf.randomNormal<tf.Rank.R2>(shape, 0, 1 / Math.sqrt(inputs), 'float32', seed + 2),
  );
  const bias = variableOf(() => tf.randomNormal<tf.Rank.R1>([outputs], 0, 1, 'float32', seed + 3));
  const targets = Array.from({ length: count }, (_, k) =>
    tf.randomNormal<tf.Rank.R2>([batch, outputs], 0, 1, 'float32', seed + 4 + k),
  );
  const losses = (): Record<string, tf.Scalar> => {
    const y = tf.relu(tf.add(tf.matMul(x, matrix, false, turned), bias));
    return Object.fromEntries(
      targets.map((target, k) => [`o${k}`, tf.mean<tf.Scalar>(tf.square(tf.sub(y, target)))]),
    );
  };
  return {
    ...{ x, matrix, bias, targets, losses, variables: [matrix, bias] },
    dispose: () => tf.dispose([x, matrix, bias, ...targets]),
  };
}

/** Runs `body`, and counts the kernels that it runs. */
async function counted(body: () => Promise<unknown>): Promise<ReadonlyMap<string, number>> {
  const { kernels } = await tf.profile(async () => {
    await body();
    return [];
  });
  const counts = new Map<string, number>();
  for (const { name } of kernels) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** The matrix products of a step beside the one of the forward pass. */
const productsIn = (counts: ReadonlyMap<string, number>): number =>
  (counts.get('BatchMatMul') ?? 0) - 1;

/** A step whose weights follow from the Gramian. @returns its gradients, flat, by variable, and its report */
async function step(
  { losses, variables }: Pick<Layer, 'losses' | 'variables'>,
  strategy: GradientStrategy,
  options: IntegrateOptions = {},
): Promise<{
  values: number[][];
  norms: readonly number[];
  cosines: readonly (readonly number[])[];
}> {
  const { gradients, groups } = await integrateGradients(strategy, losses, variables, options);
  const values = variables.map(({ name }) => [...gradients[name]!.dataSync<'float32'>()]);
  tf.dispose(gradients);
  const [group] = groups;
  return { values, norms: [...group!.norms!], cosines: group!.cosines! };
}

function expectSame(found: readonly number[], expected: readonly number[], tolerance = 1e-6): void {
  const size = Math.hypot(...expected);
  const difference = Math.hypot(...expected.map((value, i) => value - found[i]!));
  expect(difference).toBeLessThanOrEqual(tolerance * size);
  // Zeros would prove nothing.
  expect(size).toBeGreaterThan(0);
}

/** The gradients of the layer's matrix, by objective, from its formula. */
function gradientsInFloat64(
  { x, matrix, bias, targets }: Layer,
  { batch, inputs, outputs }: Sizes,
): number[][] {
  const [input, weights, offsets] = [x, matrix, bias].map((one) => one.dataSync<'float32'>());
  const sums = Array.from({ length: batch * outputs }, (_, at) => {
    const [b, o] = [Math.floor(at / outputs), at % outputs];
    let sum = offsets![o]!;
    for (let i = 0; i < inputs; i += 1) sum += input![b * inputs + i]! * weights![i * outputs + o]!;
    return sum;
  });
  return targets.map((target) => {
    const wanted = target.dataSync<'float32'>();
    const slopes = sums.map((y, at) => (y > 0 ? (2 * (y - wanted[at]!)) / sums.length : 0));
    return Array.from({ length: inputs * outputs }, (_, at) => {
      const [i, o] = [Math.floor(at / outputs), at % outputs];
      let sum = 0;
      for (let b = 0; b < batch; b += 1) sum += input![b * inputs + i]! * slopes[b * outputs + o]!;
      return sum;
    });
  });
}

describe.each(testedBackends())('dense layers on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  const sizes: Sizes = { batch: 5, inputs: 40, outputs: 30, count: 3 };

  it('take one product for a matrix in place of one for each objective', async () => {
    await expectConstantMemory(async () => {
      const layer = layerOf(sizes);
      const without = await counted(() => step(layer, upgrad()));
      expect(productsIn(without)).toBe(1);
      expect(without.get('GramianOfProducts')).toBe(1);
      const rows = await counted(() => step(layer, upgrad(), withGradients));
      expect(productsIn(rows)).toBe(3);
      expect(rows.has('GramianOfProducts')).toBe(false);
      layer.dispose();
    });
  });

  it('give the same updates and reports, for any shape and number of objectives', async () => {
    const shapes = fc.record({
      batch: fc.integer({ min: 1, max: 9 }),
      inputs: fc.integer({ min: 1, max: 70 }),
      outputs: fc.integer({ min: 1, max: 70 }),
      count: fc.integer({ min: 2, max: 4 }),
      turned: fc.boolean(),
      seed: fc.nat(1000),
    });
    const taken = { products: 0, rows: 0 };
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        await expectConstantMemory(async () => {
          const layer = layerOf(shape);
          let found: Awaited<ReturnType<typeof step>>;
          const counts = await counted(async () => {
            found = await step(layer, upgrad());
          });
          taken[counts.has('GramianOfProducts') ? 'products' : 'rows'] += 1;
          const plain = await step(layer, upgrad(), withGradients);
          found!.values.forEach((values, index) => {
            if (Math.hypot(...plain.values[index]!) > 0) expectSame(values, plain.values[index]!);
          });
          expectSame(found!.norms, plain.norms);
          found!.cosines.forEach((row, i) =>
            row.forEach((cosine, j) => {
              expect(Math.abs(cosine - plain.cosines[i]![j]!)).toBeLessThanOrEqual(1e-6);
            }),
          );
          layer.dispose();
        });
      }),
      { numRuns: 25 },
    );
    // Both ways were taken.
    expect(Math.min(taken.products, taken.rows)).toBeGreaterThan(2);
  });

  it('measure the Gramian of gradients in float64', async () => {
    const layer = layerOf({ ...sizes, batch: 7 });
    const { norms, cosines } = await step({ ...layer, variables: [layer.matrix] }, upgrad());
    const rows = gradientsInFloat64(layer, { ...sizes, batch: 7 });
    rows.forEach((a, i) => {
      expect(norms[i]! / Math.hypot(...a)).toBeCloseTo(1, 6);
      rows.forEach((b, j) => {
        const exact = a.reduce((sum, value, index) => sum + value * b[index]!, 0);
        expect(cosines[i]![j]).toBeCloseTo(exact / Math.hypot(...a) / Math.hypot(...b), 6);
      });
    });
    layer.dispose();
  });

  it('fall back to gradients where those of samples cancel, and say the same as without products', async () => {
    await expectConstantMemory(async () => {
      const row = tf.randomNormal<tf.Rank.R1>([40], 0, 1, 'float32', 1);
      const x = tf.stack([row, row]) as tf.Tensor2D;
      const matrix = variableOf(() => tf.randomNormal<tf.Rank.R2>([40, 30], 0, 0.1, 'float32', 2));
      const push = tf.randomNormal<tf.Rank.R1>([30], 0, 1, 'float32', 3);
      // The second sample takes nearly back what the first one gives.
      const factors = [-1 - 2 ** -20, 0.5].map((factor) =>
        tf.tidy(() => tf.stack([push, tf.mul(push, factor)])),
      );
      const losses = (): Record<string, tf.Scalar> => {
        const y = tf.matMul(x, matrix);
        return {
          cancelling: tf.sum<tf.Scalar>(tf.mul(y, factors[0]!)),
          plain: tf.sum<tf.Scalar>(tf.mul(y, factors[1]!)),
        };
      };
      const layer = { losses, variables: [matrix] };
      let found: Awaited<ReturnType<typeof step>>;
      const counts = await counted(async () => {
        found = await step(layer, upgrad());
      });
      expect(counts.get('GramianOfProducts')).toBe(1);
      expect(counts.get('GramianOfRows')).toBe(1);
      expect(productsIn(counts)).toBe(2);
      const plain = await step(layer, upgrad(), withGradients);
      expect(found!).toEqual(plain);
      tf.dispose([row, x, matrix, push, ...factors]);
    });
  });

  it('name the objective whose gradient is not finite, and leave nothing behind', async () => {
    await expectConstantMemory(async () => {
      const layer = layerOf(sizes);
      const losses = (): Record<string, tf.Scalar> => {
        const { o0, o1 } = layer.losses();
        // Its value is 0, its slope infinite.
        const broken = tf.sqrt<tf.Scalar>(tf.mul(o1!, 0));
        return { good: o0!, broken };
      };
      await expect(step({ ...layer, losses }, upgrad())).rejects.toThrow(
        /Objective `broken` has a gradient that is not finite/,
      );
      layer.dispose();
    });
  });

  describe("compute each objective's gradients", () => {
    let layer: Layer;
    afterEach(() => layer.dispose());

    const countOf = async (
      body: (layer: Layer) => Promise<unknown>,
      shape: Sizes = sizes,
    ): Promise<ReadonlyMap<string, number>> => {
      layer = layerOf(shape);
      return counted(() => body(layer));
    };

    it('for strategies that read rows', async () => {
      const counts = await countOf((given) => step(given, graddrop({ seed: 1 })));
      expect(productsIn(counts)).toBe(3);
    });

    it('for strategies with a memory of them', async () => {
      const counts = await countOf(async ({ losses, variables }) => {
        const memory = new GradientMemory();
        const { gradients, memory: next } = await integrateGradients(moco(), losses, variables, {
          memory,
        });
        tf.dispose(gradients);
        next!.dispose();
      });
      expect(productsIn(counts)).toBe(3);
    });

    it('of independent batches', async () => {
      const strategy = modo();
      const counts = await countOf(async ({ losses, variables }) => {
        const { batches = 1 } = strategy.needs;
        const forwards = Array.from({ length: batches }, () => losses);
        const { gradients } = await integrateGradients(strategy, forwards, variables);
        tf.dispose(gradients);
      });
      expect(counts.has('GramianOfProducts')).toBe(false);
    });

    it('of a matrix that is used twice, as by a penalty on its size', async () => {
      const counts = await countOf((given) => {
        const losses = (): Record<string, tf.Scalar> => ({
          ...given.losses(),
          size: tf.sum(tf.square(given.matrix)),
        });
        return step({ ...given, losses }, upgrad());
      });
      expect(productsIn(counts)).toBe(3);
      expect(counts.has('GramianOfProducts')).toBe(false);
    });

    it('where they are as cheap', async () => {
      const counts = await countOf((given) => step(given, upgrad()), {
        ...{ batch: 64, inputs: 12, outputs: 10, count: 2 },
      });
      expect(productsIn(counts)).toBe(2);
      expect(counts.has('GramianOfProducts')).toBe(false);
    });
  });

  it('take less memory than K gradients of a matrix', async () => {
    const layer = layerOf({ batch: 4, inputs: 200, outputs: 300, count: 4 });
    const peakOf = async (options?: IntegrateOptions): Promise<number> => {
      const before = tf.memory().numBytes;
      const { peakBytes } = await tf.profile(async () => {
        await step(layer, upgrad(), options);
        return [];
      });
      return peakBytes - before;
    };
    const matrix = 4 * 200 * 300;
    const [products, rows] = [await peakOf(), await peakOf(withGradients)];
    // TensorFlow.js counts the copy that the forward pass saves as a matrix too, though it shares its numbers.
    expect(rows).toBeGreaterThan(5 * matrix);
    expect(products).toBeLessThan(3 * matrix);
    layer.dispose();
  });

  it.each<[string, Partial<TrainerSettings>]>([
    ['as it is', {}],
    ['with parts of batches', { accumulate: 2 }],
    ['with limits on the update', { clip: { globalNorm: 0.1 } }],
    ['with a loss scale', { lossScale: 1024 }],
    ['with tensors weighted apart', { strategy: mmpareto({ rescale: 'tensor' }) }],
    ['with one group for all that is shared', { groupBy: 'shared' }],
  ])('train a network as gradients do, %s', async (_, settings) => {
    await expectConstantMemory(async () => {
      const found = await trained(settings);
      const plain = await trained({ ...settings, clipObjectives: { globalNorm: 1e30 } });
      expectSame(found, plain);
    });
  });
});

type TrainerSettings = ConstructorParameters<typeof MultiObjectiveTrainer>[0];

/** The weights of a perceptron with two tasks after some steps; the second task has no labels in every third batch. */
async function trained(settings: Partial<TrainerSettings>): Promise<number[]> {
  const weights = [
    [24, 32],
    [32, 20],
    [20, 3],
    [20, 3],
  ].map((shape, k) => variableOf(() => tf.randomNormal(shape, 0, 0.3, 'float32', k + 1)));
  const optimizer = tf.train.momentum(0.05, 0.9);
  const [first, second, ...heads] = weights as tf.Variable<tf.Rank.R2>[];
  let batch = 0;
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ x, left, right }: Record<string, tf.Tensor2D>) => {
      const hidden = tf.relu(tf.matMul(x!, first!));
      const features = tf.relu(tf.matMul(hidden, second!));
      const lossOf = (head: number, target: tf.Tensor): tf.Scalar =>
        tf.mean(tf.square(tf.sub(tf.matMul(features, heads[head]!), target)));
      return {
        left: lossOf(0, left!),
        ...(batch % 3 === 2 ? {} : { right: lossOf(1, right!) }),
      };
    },
    variables: weights,
    strategy: mmpareto(),
    optimizer,
    ...settings,
  } as TrainerSettings);
  for (batch = 0; batch < 6; batch += 1) {
    const parts = Array.from({ length: settings.accumulate ?? 1 }, (_, part) => {
      const seed = 10 * batch + 1000 * part + 11;
      return {
        x: tf.randomNormal([8, 24], 0, 1, 'float32', seed),
        left: tf.randomNormal([8, 3], 0, 1, 'float32', seed + 1),
        right: tf.randomNormal([8, 3], 0, 1, 'float32', seed + 2),
      };
    });
    await trainer.trainOnBatch(parts[0]!, ...parts.slice(1));
    tf.dispose(parts);
  }
  const values = weights.flatMap((weight) => [...weight.dataSync()]);
  trainer.dispose();
  disposeOptimizer(optimizer);
  tf.dispose(weights);
  return values;
}
