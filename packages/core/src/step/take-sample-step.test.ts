import {
  expectConstantMemory,
  startTestedBackend,
  testedBackends,
  variableOf,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { MultigradError } from '../base/errors.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import { projectOntoDualCone } from '../algebra/dual-cone.ts';
import { perSample } from '../network/objectives.ts';
import { type SampleNetwork, sampleNetworks } from '../samples/testing/sample-networks.ts';
import { fixedWeights, rankByTensor, unitSum } from '../testing/strategies.ts';
import { buildIntegration, integrateGradients } from './integrate-gradients.ts';

/** Weights with which the mean is projected onto the cone of directions that conflict with none. */
const projectedMean: GradientStrategy = {
  specification: 1,
  name: 'projected-mean',
  needs: { gradients: 'gramian', losses: 'now' },
  init: () => null,
  integrate: ({ gramian, objectives, losses }, state) => {
    const weights = new Float64Array(objectives.length).fill(1 / objectives.length);
    expect(losses.every((loss) => loss > 0)).toBe(true);
    return { weights: projectOntoDualCone(gramian, weights), state };
  },
};

/** The same objectives, each with a backward pass of its own. */
function oneByOne({ losses }: SampleNetwork): () => Record<string, tf.Tensor> {
  return () =>
    Object.fromEntries(tf.unstack(losses()).map((loss, sample) => [`sample ${sample}`, loss]));
}

const strategies: Readonly<Record<string, () => GradientStrategy>> = {
  'unit-sum': unitSum,
  'projected-mean': () => projectedMean,
  'rank-by-tensor': rankByTensor,
  'fixed-weights': () => fixedWeights({ 'sample 2': -0.5 }),
};

async function failure(promise: Promise<unknown>): Promise<MultigradError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!MultigradError.isInstance(error)) throw new Error(`expected an error, got ${String(error)}`);
  return error;
}

describe.each(testedBackends())('a step with per-sample objectives on %s', (backend) => {
  beforeAll(() => startTestedBackend(backend));

  describe.each(['a perceptron', 'LeNet', 'time before batch'])('of %s', (network) => {
    it.each(Object.keys(strategies))(
      'gives the update of as many backward passes as samples, with %s',
      async (strategy) => {
        await expectConstantMemory(async () => {
          const made = sampleNetworks[network]!();
          const options = { groupBy: 'shared' } as const;
          const expected = await integrateGradients(
            strategies[strategy]!(),
            oneByOne(made),
            made.variables,
            options,
          );
          const found = await integrateGradients(
            strategies[strategy]!(),
            () => ({ error: perSample(made.losses(), { answer: tf.scalar(42) }) }),
            made.variables,
            { ...options, lossScale: 8 },
          );
          expect(found.metrics).toEqual({ error: { answer: 42 } });
          const mean = Object.values(expected.losses).reduce((sum, loss) => sum! + loss!, 0)! / 7;
          expect(found.losses.error).toBeCloseTo(mean, 4);
          expect(found.groups.map(({ key }) => key)).toEqual(['error']);
          expect(found.groups[0]!.objectives).toEqual(expected.groups[0]!.objectives);
          if (strategy !== 'fixed-weights') {
            expect(found.groups[0]!.conflict).toBe(expected.groups[0]!.conflict);
            expect(Object.keys(found.groups[0]!.samples!.ways)).toHaveLength(made.variables.length);
          }
          expect(found.backwardPasses).toBeLessThanOrEqual(1 + made.variables.length);
          for (const { name } of made.variables) {
            const [a, b] = [found.gradients[name]!, expected.gradients[name]!];
            const size = tf.tidy(() => tf.norm(b).arraySync() as number);
            const apart = tf.tidy(() => tf.norm(tf.sub(a, b)).arraySync() as number);
            expect(apart / size).toBeLessThan(1e-4);
            expect(size).toBeGreaterThan(0);
          }
          tf.dispose([found.gradients, expected.gradients]);
          made.dispose();
        });
      },
    );
  });

  it('takes batches of other sizes with the same state, one sample included', async () => {
    await expectConstantMemory(async () => {
      const kernel = variableOf(() => tf.tensor2d([[1], [-2]]), 'odd/kernel');
      let state = buildIntegration(
        unitSum(),
        [() => ({ error: perSample(tf.sum(tf.square(tf.matMul(tf.ones([1, 2]), kernel)), 1)) })],
        [kernel],
      );
      for (const size of [1, 5, 2]) {
        const x = tf.tensor2d(
          Array.from({ length: 2 * size }, (_, i) => i + 1),
          [size, 2],
        );
        const forward = () => ({ error: perSample(tf.sum(tf.square(tf.matMul(x, kernel)), 1)) });
        const step = await integrateGradients(unitSum(), forward, [kernel], {
          state,
          lossWeights: { error: 2 },
        });
        state = step.state;
        expect(step.groups[0]!.weights).toHaveLength(size);
        expect(step.groups[0]!.norms).toHaveLength(size);
        // x = (1, 2) and y = −3: g = 2 · 2 y x
        expect(step.groups[0]!.norms![0]).toBeCloseTo(12 * Math.sqrt(5), 3);
        tf.dispose([step.gradients, x]);
      }
      expect(state.step).toBe(3);
      kernel.dispose();
    });
  });

  it('refuses what computes a sample from others, by name', async () => {
    await expectConstantMemory(async () => {
      const kernel = variableOf(
        () =>
          tf.tensor2d([
            [1, 2],
            [-2, 1],
          ]),
        'mixed/kernel',
      );
      const scale = variableOf(() => tf.ones([2]), 'mixed/scale');
      const x = tf.tensor2d([
        [1, 2],
        [3, 5],
        [4, 4],
      ]);
      const normalised = tf.customGrad((y, save) => {
        (save as tf.GradSaveFunc)([y as tf.Tensor]);
        return {
          value: tf.sub(y as tf.Tensor, tf.mean(y as tf.Tensor, 0)),
          gradFunc: (dy: tf.Tensor) => tf.sub(dy, tf.mean(dy, 0)),
        };
      });
      const cases: readonly [string, (h: tf.Tensor2D) => tf.Tensor][] = [
        ['Mean', (h) => tf.sub(h, tf.mean(h, 0))],
        [
          'Mean',
          (h) => {
            const { mean, variance } = tf.moments(h, 0);
            return tf.batchNorm(
              h,
              mean as tf.Tensor1D,
              variance as tf.Tensor1D,
              scale as unknown as tf.Tensor1D,
              scale as unknown as tf.Tensor1D,
            );
          },
        ],
        ['BatchMatMul', (h) => tf.matMul(tf.softmax(tf.matMul(h, h, false, true)), h)],
        ['Reverse', (h) => tf.reverse(h, 0)],
        ['Cumsum', (h) => tf.cumsum(h, 0)],
        ['Slice', (h) => tf.concat([tf.slice(h, [1, 0]), tf.slice(h, [0, 0], [1, 2])], 0)],
        ['an operation with a custom gradient', (h) => normalised(h)],
      ];
      for (const [name, layer] of cases) {
        const error = await failure(
          integrateGradients(
            unitSum(),
            () => ({
              error: perSample(tf.sum(tf.square(tf.mul(layer(tf.matMul(x, kernel)), scale)), 1)),
            }),
            [kernel, scale],
          ),
        );
        expect(error.code, name).toBe('unsupported');
        expect(error.message, name).toMatch(/depend on that sample alone/);
        if (name !== 'Slice') expect(error.message).toContain(`Found ${name}`);
      }
      tf.dispose([kernel, scale, x]);
    });
  });

  it('refuses strategies that need more than Gramians of one step, with the reason', async () => {
    await expectConstantMemory(async () => {
      const made = sampleNetworks['a perceptron']!();
      const needing = (needs: GradientStrategy['needs'], state: unknown = null): GradientStrategy =>
        ({ ...unitSum(), name: 'needy', needs, init: () => state }) as GradientStrategy;
      const cases: readonly [GradientStrategy, RegExp][] = [
        [needing({ gradients: 'rows' }), /combines gradients number by number/],
        [needing({ gradients: 'gramian', memory: true }), /keeps a vector for each objective/],
        [needing({ gradients: 'gramian', losses: 'epoch-means' }), /follows the losses/],
        [needing({ gradients: 'gramian', losses: 'now-and-after-step' }), /follows the losses/],
        [needing({ gradients: 'gramian' }, { weights: { 'sample 0': 1 } }), /remember nothing/],
        [needing({ gradients: 'gramian' }, ['sample 0']), /remember nothing/],
      ];
      const forward = () => ({ error: perSample(made.losses()) });
      for (const [strategy, reason] of cases) {
        const error = await failure(integrateGradients(strategy, forward, made.variables));
        expect(error.code).toBe('incompatible-strategy');
        expect(error.message).toMatch(reason);
      }
      const limited = await failure(
        integrateGradients(unitSum(), forward, made.variables, {
          clipObjectives: { globalNorm: 1 },
        }),
      );
      expect(limited.message).toContain('`clipObjectives`');
      const beside = await failure(
        integrateGradients(
          unitSum(),
          () => ({ error: perSample(made.losses()), other: tf.sum(made.losses()) }),
          made.variables,
        ),
      );
      expect(beside.code).toBe('invalid-objective');
      for (const losses of [
        () => tf.sum(made.losses()),
        () => tf.zeros([0]),
        () => tf.ones([2, 2]),
      ]) {
        const shape = await failure(
          integrateGradients(unitSum(), () => ({ error: perSample(losses()) }), made.variables),
        );
        expect(shape.code).toBe('invalid-objective');
      }
      made.dispose();
    });
  });

  it('names the sample whose loss or gradient is not finite', async () => {
    await expectConstantMemory(async () => {
      const kernel = variableOf(() => tf.tensor2d([[1], [1]]), 'infinite/kernel');
      const broken = async (
        x: tf.Tensor2D,
        layer: (y: tf.Tensor) => tf.Tensor,
      ): Promise<string> => {
        const forward = () => ({ error: perSample(tf.sum(layer(tf.matMul(x, kernel)), 1)) });
        const { code, message } = await failure(integrateGradients(unitSum(), forward, [kernel]));
        expect(code).toBe('non-finite');
        x.dispose();
        return message;
      };
      expect(
        await broken(
          tf.tensor2d([
            [1, 0],
            [NaN, 0],
          ]),
          tf.abs,
        ),
      ).toContain('`sample 1`');
      expect(
        await broken(
          tf.tensor2d([
            [1, 0],
            [2, 1],
            [0, 0],
          ]),
          tf.sqrt,
        ),
      ).toContain('`sample 2`');
      kernel.dispose();
    });
  });
});
