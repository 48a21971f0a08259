import { integrateGradients } from '@multigrad/core';
import {
  expectConstantMemory,
  only,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { multilayerPerceptron } from '../encoders/multilayer-perceptron.ts';
import { meanSquaredError, smoothL1 } from '../losses/regression.ts';
import { multimodalNetwork } from './make-multimodal-network.ts';
import { multiTaskNetwork } from './make-multi-task-network.ts';

const seed = 3;
const size = { shape: [4], hidden: [5], features: 3, seed };

const tasks = () =>
  multiTaskNetwork({
    trunk: (name) => multilayerPerceptron({ name, ...size }),
    sharing: { kind: 'mmoe', experts: 2 },
    tasks: {
      kind: { kind: 'classification', classes: 3 },
      weight: { kind: 'regression', size: 2 },
      age: { kind: 'regression', size: 1, loss: 'smooth-l1' },
    },
    seed,
  });

const modalities = () =>
  multimodalNetwork({
    encoders: {
      a: multilayerPerceptron({ name: 'a', ...size }),
      b: multilayerPerceptron({ name: 'b', ...size }),
    },
    fusion: 'gated',
    classes: 3,
    seed,
  });

const samples = (rows: readonly number[]): tf.Tensor2D =>
  tf.tidy(() => tf.gather(tf.randomNormal<tf.Rank.R2>([6, 4], 0, 1, 'float32', 8), [...rows]));

const int = (...labels: number[]): tf.Tensor1D => tf.tensor1d(labels, 'int32');
const every = [0, 1, 2, 3, 4, 5];

function gradientsOf(loss: () => tf.Scalar, variables: tf.Variable[]): number[][] {
  const { value, grads } = tf.variableGrads(loss, variables);
  const numbers = variables.map(({ name }) => [
    ...((grads[name] as tf.Tensor | undefined)?.dataSync() ?? []),
  ]);
  tf.dispose([value, grads]);
  return numbers;
}

function expectClose(found: number[][], expected: number[][]): void {
  expect(found.flat().some((value) => Math.abs(value) > 1e-3)).toBe(true);
  found.forEach((values, k) => {
    expect(values).toHaveLength(expected[k]!.length);
    // Rows of zeros come between the terms of a sum, which groups them otherwise.
    values.forEach((value, i) => expect(value).toBeCloseTo(expected[k]![i]!, 6));
  });
}

it('holds a name that every object has for no labels of its own', async () => {
  await tf.setBackend('cpu');
  await expectConstantMemory(() => {
    const encoder = (name: string) => multilayerPerceptron({ name, ...size });
    const net = multiTaskNetwork({
      trunk: encoder,
      tasks: {
        constructor: { kind: 'regression', size: 2 },
        weight: { kind: 'regression', size: 2 },
      },
      seed,
    });
    const several = multimodalNetwork({
      encoders: { constructor: encoder('constructor'), b: encoder('b') },
      fusion: 'gated',
      classes: 3,
      seed,
    });
    tf.tidy(() => {
      const x = samples(every);
      const found = net.losses(x, { weight: tf.ones([6, 2]) } as never);
      expect(Object.keys(found)).toEqual(['weight']);
      const inputs = { constructor: x, b: x };
      const labelled = several.losses(inputs, { b: int(0, 1, 2, 0, 1, 2) } as never);
      expect(Object.keys(labelled)).toEqual(['b']);
    });
    net.dispose();
    several.dispose();
  });
});

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe('multiTaskNetwork', () => {
    it('learns from the samples that have a target exactly as if the others were not there', async () => {
      await expectConstantMemory(() => {
        const net = tasks();
        const cases = [
          { task: 'kind', some: int(-1, 2, -1, 0, 1, -1), left: int(2, 0, 1), rows: [1, 3, 4] },
          {
            task: 'weight',
            some: tf.tensor2d([
              [1, 2],
              [NaN, NaN],
              [3, -1],
              [NaN, NaN],
              [0, 0],
              [5, 5],
            ]),
            left: tf.tensor2d([
              [1, 2],
              [3, -1],
              [0, 0],
              [5, 5],
            ]),
            rows: [0, 2, 4, 5],
          },
          {
            task: 'age',
            some: tf.tensor1d([NaN, 0.1, 9, NaN, NaN, NaN]),
            left: tf.tensor1d([0.1, 9]),
            rows: [1, 2],
          },
        ] as const;
        for (const { task, some, left, rows } of cases) {
          const [whole, reduced] = [samples(every), samples(rows)];
          const loss = (x: tf.Tensor2D, target: tf.Tensor) => () =>
            net.losses(x, { [task]: target })[task]!;
          const values = [loss(whole, some)(), loss(reduced, left)()];
          expect(values[0]!.dataSync()[0]).toBeCloseTo(values[1]!.dataSync()[0]!, 6);
          expectClose(
            gradientsOf(loss(whole, some), net.trainableVariables),
            gradientsOf(loss(reduced, left), net.trainableVariables),
          );
          tf.dispose([whole, reduced, some, left, values]);
        }
        net.dispose();
      });
    });

    it('leaves a task without a target out, and so its group gets smaller for that step', async () => {
      await expectConstantMemory(async () => {
        const net = tasks();
        const x = samples(every);
        const full = { kind: int(0, 1, 2, 0, 1, 2), weight: tf.ones([6, 2]), age: tf.ones([6]) };
        const none = { ...full, kind: int(-1, -1, -1, -1, -1, -1), age: tf.fill([6], NaN) };
        const measured = net.objectives(x, none, { training: true });
        expect(Object.keys(measured)).toEqual(['weight']);
        expect(Object.keys(net.metrics(x, {}))).toEqual([]);
        tf.dispose(measured);
        const [variables, strategy] = [net.trainableVariables, only('weight')];
        const first = await integrateGradients(strategy, () => net.losses(x, full), variables);
        const shared = 'kind+weight+age';
        expect(first.groups.find(({ key }) => key === shared)!.objectives).toEqual([
          'kind',
          'weight',
          'age',
        ]);
        const { state } = first;
        const second = await integrateGradients(strategy, () => net.losses(x, none), variables, {
          state,
        });
        expect(second.groups.find(({ key }) => key === shared)!.objectives).toEqual(['weight']);
        const head = net.namedVariables.get('head/kind/kernel')!;
        expect(second.gradients[head.name]).toBeNull();
        tf.dispose([x, full, none.kind, none.age, first.gradients, second.gradients]);
        net.dispose();
      });
    });

    it('measures accuracy and mean absolute error over the targets that are there', async () => {
      await expectConstantMemory(() => {
        const net = tasks();
        tf.tidy(() => {
          const x = samples([0, 1, 2]);
          const outputs = net.forward(x, { training: false });
          const best = outputs.kind.arraySync().map((row) => row.indexOf(Math.max(...row)));
          const weight = tf.tensor2d([
            [1, NaN],
            [0, 0],
            [NaN, 2],
          ]);
          const kind = int(best[0]!, -1, (best[2]! + 1) % 3);
          const metrics = net.metrics(x, { kind, weight });
          expect(Object.keys(metrics)).toEqual(['kind', 'weight']);
          expect(metrics.kind!.accuracy!.arraySync()).toBe(0.5);
          const predictions = outputs.weight.arraySync();
          const distances = [
            predictions[0]![0]! - 1,
            predictions[1]![0]!,
            predictions[1]![1]!,
            predictions[2]![1]! - 2,
          ].map(Math.abs);
          const mean = distances.reduce((sum, d) => sum + d, 0) / 4;
          expect(metrics.weight!.error!.arraySync()).toBeCloseTo(mean, 5);
        });
        net.dispose();
      });
    });
  });

  describe('multimodalNetwork', () => {
    it('takes labels by objective, and leaves out an objective without one', async () => {
      await expectConstantMemory(() => {
        const net = modalities();
        const [whole, reduced] = [samples(every), samples([0, 4])];
        // Samples 1, 2, 3 and 5 have no b: no label for what needs it.
        const [both, own, left] = [int(1, -1, -1, -1, 2, -1), int(1, 0, 2, 0, 2, 1), int(1, 2)];
        const losses = net.losses({ a: whole, b: whole }, { multimodal: both, a: own, b: both });
        const same = net.losses({ a: reduced, b: reduced }, left);
        for (const objective of ['multimodal', 'b'] as const) {
          expect(losses[objective]!.dataSync()[0]).toBeCloseTo(same[objective].dataSync()[0]!, 6);
        }
        expectClose(
          gradientsOf(
            () => net.losses({ a: whole, b: whole }, { multimodal: both }).multimodal!,
            net.trainableVariables,
          ),
          gradientsOf(
            () => net.losses({ a: reduced, b: reduced }, left).multimodal,
            net.trainableVariables,
          ),
        );
        const none = int(-1, -1, -1, -1, -1, -1);
        const some = net.losses({ a: whole, b: whole }, { multimodal: none, a: own });
        expect(Object.keys(some)).toEqual(['a']);
        expect(() => net.losses({ a: whole, b: whole }, none)).toThrow(
          'labels: every label of the batch is missing (-1). Expected at least one of 6',
        );
        expect(() => net.losses({ a: whole, b: whole }, { c: own } as never)).toThrow('Found `c`.');
        tf.dispose([whole, reduced, both, own, left, none, losses, same, some]);
        net.dispose();
      });
    });
  });

  describe('regression losses', () => {
    const float = (rows: number[][]): tf.Tensor2D => tf.tensor2d(rows);

    it.each([
      ['meanSquaredError', meanSquaredError, (d: number) => d * d, (d: number) => 2 * d],
      [
        'smoothL1',
        (p: tf.Tensor2D, t: tf.Tensor2D) => smoothL1(p, t, 0.5),
        (d: number) => (Math.abs(d) < 0.5 ? d * d : Math.abs(d) - 0.25),
        (d: number) => (Math.abs(d) < 0.5 ? 2 * d : Math.sign(d)),
      ],
    ] as const)(
      '%s is the mean of its definition over what is there',
      async (_, loss, value, slope) => {
        await expectConstantMemory(() => {
          tf.tidy(() => {
            const [p, t] = [
              float([
                [1, 2],
                [3, 0],
              ]),
              float([
                [0.75, NaN],
                [5, 0.1],
              ]),
            ];
            const differences = [0.25, -2, -0.1];
            const mean = differences.reduce((sum, d) => sum + value(d), 0) / 3;
            expect(loss(p, t).arraySync()).toBeCloseTo(mean, 6);
            const gradient = tf
              .grad((x) => loss(x as tf.Tensor2D, t))(p)
              .dataSync();
            [slope(0.25), 0, slope(-2), slope(-0.1)].forEach((expected, i) => {
              expect(gradient[i]).toBeCloseTo(expected / 3, 6);
            });
            expect(loss(p, tf.fill([2, 2], NaN)).arraySync()).toBeNaN();
          });
        });
      },
    );

    it('refuse shapes, types and a beta that do not fit', async () => {
      await expectConstantMemory(() => {
        tf.tidy(() => {
          const p = float([[1, 2]]);
          expect(() => meanSquaredError(p, float([[1], [2]]))).toThrow(
            'Found float32 [1, 2] and float32 [2, 1].',
          );
          expect(() => smoothL1(p, tf.tensor2d([[1, 2]], [1, 2], 'int32'))).toThrow('int32 [1, 2]');
          expect(() => smoothL1(p, p, 0)).toThrow(
            '`beta` of `smoothL1` should be a number > 0. Found 0.',
          );
        });
      });
    });
  });
});
