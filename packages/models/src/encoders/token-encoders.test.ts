import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { namedVariables, trainableVariables } from '../weights/network-weights.ts';
import { tokenLstm } from './token-lstm.ts';
import { tokenTransformer } from './token-transformer.ts';

const shared = { name: 'text', vocabulary: 9, length: 5, width: 4, seed: 3 };
const makers: Record<string, (pool: 'vector' | 'sequence') => LayersModel> = {
  'LSTM, last state': (pool) =>
    tokenLstm({ ...shared, units: 4, pool: pool === 'vector' ? 'last' : 'none' }),
  'LSTM, mean of states': (pool) =>
    tokenLstm({ ...shared, units: 4, pool: pool === 'vector' ? 'average' : 'none' }),
  transformer: (pool) =>
    tokenTransformer({ ...shared, heads: 2, blocks: 2, pool: pool === 'vector' }),
};

const predict = (model: LayersModel, rows: number[][]): number[] =>
  tf.tidy(() => [
    ...(model.predict(tf.tensor2d(rows, undefined, 'int32')) as tf.Tensor).dataSync(),
  ]);

/** A number that depends on every feature. */
const loss = (model: LayersModel, rows: number[][]): tf.Scalar =>
  tf.tidy(() => {
    const features = model.apply(tf.tensor2d(rows, undefined, 'int32')) as tf.Tensor;
    const factors = tf.reshape(
      tf.sin(tf.range(0, features.size, 1, 'float32')),
      features.shape as [number, number],
    );
    return tf.sum(tf.mul(features, factors));
  });

/** The factor that gives a variable a deviation of about 1. */
const spread = (variable: tf.Variable): tf.Scalar =>
  tf.tidy(() => tf.rsqrt(tf.mean(tf.square(variable))));

const near = (found: readonly number[], expected: readonly number[], room = 1e-5): void => {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, k) => expect(Math.abs(value - expected[k]!)).toBeLessThan(room));
};

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe.each(Object.entries(makers))('%s', (_, make) => {
    it('sees tokens and their order, and no padding', async () => {
      await expectConstantMemory(() => {
        const model = make('vector');
        const [short] = [predict(model, [[3, 7, 2, 0, 0]])];
        // What stands beside it in the batch, however much padding it has.
        near(
          predict(model, [
            [3, 7, 2, 0, 0],
            [1, 2, 3, 4, 5],
          ]).slice(0, 4),
          short!,
        );
        for (const other of [
          [3, 7, 1, 0, 0],
          [7, 3, 2, 0, 0],
          [3, 7, 2, 1, 0],
          [3, 7, 0, 0, 0],
        ])
          expect(predict(model, [other])).not.toEqual(short);
        expect(predict(model, [[0, 0, 0, 0, 0]])).toEqual([0, 0, 0, 0]);
        model.dispose();
      });
    });

    it('gives what the same encoder gives of a sequence without its padding', async () => {
      await expectConstantMemory(() => {
        const [model, shorter] = [make('vector'), make('vector')];
        const tight =
          model.name === 'text' && namedVariables([model]).has('text/position/embedding')
            ? tokenTransformer({ ...shared, length: 3, heads: 2, blocks: 2 })
            : null;
        if (tight !== null) {
          // The same weights, without the positions that only padding has.
          const from = namedVariables([model]);
          for (const [name, variable] of namedVariables([tight])) {
            const same = from.get(name)!;
            const part = tf.tidy(() =>
              name.endsWith('position/embedding') ? tf.slice(same, [0, 0], [3, 4]) : tf.clone(same),
            );
            variable.assign(part);
            part.dispose();
          }
          near(predict(model, [[3, 7, 2, 0, 0]]), predict(tight, [[3, 7, 2]]));
          tight.dispose();
        } else {
          // Padding in front and between leaves the state alone too.
          near(predict(model, [[0, 3, 0, 7, 2]]), predict(shorter, [[3, 7, 2, 0, 0]]));
        }
        model.dispose();
        shorter.dispose();
      });
    });

    it.each(['vector', 'sequence'] as const)(
      'has the gradients that differences give, none of padding: %s',
      async (pool) => {
        await expectConstantMemory(() => {
          const model = make(pool);
          const rows = [
            [3, 7, 2, 0, 0],
            [8, 1, 1, 4, 5],
          ];
          const variables = trainableVariables(model);
          // Vectors of deviation 0.02 are bent by layer norm within the step of a difference.
          for (const [name, variable] of namedVariables([model]))
            if (name.endsWith('/embedding'))
              tf.tidy(() => variable.assign(tf.mul(variable, spread(variable))));
          const { grads, value } = tf.variableGrads(() => loss(model, rows), variables);
          for (const variable of variables) {
            const gradient = grads[variable.name]!.dataSync();
            const start = Float32Array.from(variable.dataSync());
            const step = 2e-2;
            // A spread of the numbers: each would take minutes.
            const chosen = Array.from({ length: Math.min(6, start.length) }, (_, k) =>
              Math.floor((k * start.length) / Math.min(6, start.length)),
            );
            for (const index of chosen) {
              const at = (shift: number): number => {
                const moved = Float32Array.from(start);
                moved[index]! += shift;
                return tf.tidy(() => {
                  variable.assign(tf.tensor(moved, variable.shape));
                  return loss(model, rows).dataSync()[0]!;
                });
              };
              // Of fourth order in the step.
              const slope =
                (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
              expect(Math.abs(slope - gradient[index]!), variable.name).toBeLessThan(
                2e-3 * Math.max(1, Math.abs(slope)),
              );
            }
            tf.tidy(() => variable.assign(tf.tensor(start, variable.shape)));
          }
          const tokens = [...namedVariables([model])].find(([name]) =>
            name.endsWith('tokens/embedding'),
          )![1];
          const table = grads[tokens.name]!.dataSync();
          // Padding, and a token that does not occur; one that does.
          expect([...table.slice(0, 4)]).toEqual([0, 0, 0, 0]);
          expect([...table.slice(6 * 4, 7 * 4)]).toEqual([0, 0, 0, 0]);
          expect(Math.max(...table.slice(7 * 4, 8 * 4).map(Math.abs))).toBeGreaterThan(0);
          tf.dispose([grads, value]);
          model.dispose();
        });
      },
    );
  });
});

describe('the LSTM', () => {
  it('computes what its formula says, in float64', async () => {
    await startTestedBackend(testedBackends()[0]!);
    const [units, width] = [3, 2];
    const model = tokenLstm({ name: 'text', vocabulary: 5, length: 4, width, units, seed: 8 });
    const weights = new Map(
      Array.from(namedVariables([model]), ([name, variable]) => [name, [...variable.dataSync()]]),
    );
    const of = (name: string): number[] => weights.get(`text/${name}`)!;
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    let [h, c] = [new Array<number>(units).fill(0), new Array<number>(units).fill(0)];
    for (const token of [4, 2, 1]) {
      const x = of('tokens/embedding').slice(token * width, (token + 1) * width);
      const sums = of('lstm/bias').map(
        (bias, column) =>
          bias +
          x.reduce((sum, value, k) => sum + value * of('lstm/kernel')[k * 4 * units + column]!, 0) +
          h.reduce(
            (sum, value, k) => sum + value * of('lstm/recurrent/kernel')[k * 4 * units + column]!,
            0,
          ),
      );
      const gate = (which: number, unit: number): number => sums[which * units + unit]!;
      c = c.map(
        (old, k) => sigmoid(gate(1, k)) * old + sigmoid(gate(0, k)) * Math.tanh(gate(2, k)),
      );
      h = c.map((state, k) => sigmoid(gate(3, k)) * Math.tanh(state));
    }
    near(predict(model, [[4, 2, 1, 0]]), h, 1e-6);
    model.dispose();
  });
});

it('refuse options out of range', () => {
  expect(() => tokenLstm({ name: 'text', vocabulary: 1, length: 4 })).toThrow(
    /`vocabulary` of `tokenLstm` should be an integer >= 2/,
  );
  expect(() => tokenTransformer({ name: 'text', vocabulary: 9, length: 4, heads: 3 })).toThrow(
    'Option `heads` of `tokenTransformer` should divide `width`, 64. Found 3.',
  );
  expect(() => tokenTransformer({ name: 'text', vocabulary: 9 } as never)).toThrow(
    'Option `length` of `tokenTransformer` is required.',
  );
});
