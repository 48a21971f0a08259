import '@tensorflow/tfjs-backend-cpu';
import { useBackend } from '@multigrad/backends';
import type { TrainerSnapshot } from '@multigrad/core';
import { sum } from '@multigrad/strategy-sum';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import * as tfl from '@tensorflow/tfjs-layers';
import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import { beforeAll, describe, expect, it } from 'vitest';
import { multiObjective } from './multi-objective.ts';
import type { MultiObjectiveOptions } from './options.ts';
import { type LossName, lossNames, optimizerNames } from './resolve-by-name.ts';

const { layers } = tfl;

let seed = 0;
const drawn = (): ReturnType<typeof tfl.initializers.randomNormal> =>
  tfl.initializers.randomNormal({ mean: 0, stddev: 0.5, seed: (seed += 1) });

/** TensorFlow.js types this number as an enumeration that it does not export. */
const quiet = { verbose: 0 as never };

/** Two outputs on a trunk with batch norm, with the same weights at every call. */
function twoHeads(): tfl.LayersModel {
  seed = 0;
  const x = tfl.input({ shape: [3], name: 'features' });
  const trunk = layers.dense({ units: 6, activation: 'tanh', kernelInitializer: drawn() }).apply(x);
  const normal = layers.batchNormalization().apply(trunk);
  const digit = layers
    .dense({ units: 4, activation: 'softmax', name: 'digit', kernelInitializer: drawn() })
    .apply(normal);
  const age = layers.dense({ units: 1, name: 'age', kernelInitializer: drawn() }).apply(normal);
  return tfl.model({ inputs: x, outputs: [digit, age] as tfl.SymbolicTensor[] });
}

const count = 40;
const rows = Array.from({ length: count }, (_, n) => [Math.sin(n), Math.cos(2 * n), (n % 7) / 7]);
const digits = rows.map(([a, b]) => (a! > 0 ? 1 : 0) + (b! > 0 ? 2 : 0));
const ages = rows.map(([a, b, c]) => a! + 2 * b! - c!);

const options = {
  loss: { digit: 'sparseCategoricalCrossentropy', age: 'meanSquaredError' },
  metrics: { digit: 'accuracy' },
  optimizer: 'sgd',
  strategy: sum(),
} as const satisfies MultiObjectiveOptions<'digit' | 'age'>;

const weightsOf = (model: tfl.LayersModel): number[] =>
  model.weights.flatMap((weight) => [...weight.read().dataSync()]);

function expectNear(
  found: readonly number[],
  expected: readonly number[],
  tolerance: number,
): void {
  expect(found.length).toBe(expected.length);
  const worst = Math.max(...found.map((value, k) => Math.abs(value - expected[k]!)));
  expect(worst).toBeLessThan(tolerance);
}

describe.each(testedBackends())('multiObjective on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(['sgd', 'adam'] as const)(
    'by sum and %s does what LayersModel.fit does: weights, statistics, history',
    async (optimizer) => {
      await expectConstantMemory(async () => {
        const [stock, own] = [twoHeads(), twoHeads()];
        const { loss } = options;
        const made = optimizer === 'sgd' ? tf.train.sgd(0.01) : tf.train.adam(0.001);
        stock.compile({ loss, metrics: { digit: 'accuracy' }, optimizer: made });
        const multi = multiObjective(own, { ...options, optimizer });
        expect(weightsOf(own)).toEqual(weightsOf(stock));
        const x = tf.tensor2d(rows);
        const y = { digit: tf.tensor2d(digits, [count, 1]), age: tf.tensor2d(ages, [count, 1]) };
        const course = { epochs: 4, batchSize: 8, shuffle: false, validationSplit: 0.2 };
        const { history: expected } = await stock.fit(x, y, { ...course, ...quiet });
        const { history } = await multi.fit(x, y, course);
        expectNear(weightsOf(own), weightsOf(stock), 1e-5);
        const names = ['loss', 'digit_loss', 'age_loss', 'digit_acc'].flatMap((name) => [
          name,
          `val_${name}`,
        ]);
        expect(Object.keys(history).sort()).toEqual([...names].sort());
        // With several outputs, LayersModel.fit writes its first validation losses under the names of others.
        const stockName = new Map([
          ['val_loss', 'val_digit_loss'],
          ['val_digit_loss', 'val_loss'],
          ['val_age_loss', 'val_digit_acc'],
        ]);
        for (const name of names.filter((one) => one !== 'val_digit_acc')) {
          expectNear(history[name]!, expected[stockName.get(name) ?? name] as number[], 1e-5);
        }
        multi.dispose();
        made.dispose();
        own.dispose();
        stock.dispose();
        tf.dispose([x, y]);
      });
    },
  );

  it('weights classes as LayersModel.fit does', async () => {
    const [stock, own] = [twoHeads(), twoHeads()];
    const { loss } = options;
    stock.compile({ loss, optimizer: 'sgd' });
    const multi = multiObjective(own, options);
    const x = tf.tensor2d(rows);
    const y = { digit: tf.tensor2d(digits, [count, 1]), age: tf.tensor2d(ages, [count, 1]) };
    const classWeight = { digit: { 0: 1, 1: 5, 2: 0.5, 3: 2 } };
    const course = { epochs: 3, batchSize: 8, shuffle: false };
    // The type of LayersModel.fit does not know the form by name, which its code takes.
    await stock.fit(x, y, { ...course, classWeight: classWeight as never, ...quiet });
    const before = weightsOf(own);
    await multi.fit(x, y, { ...course, classWeight });
    expectNear(weightsOf(own), weightsOf(stock), 1e-5);
    const unweighted = twoHeads();
    const other = multiObjective(unweighted, options);
    expect(weightsOf(unweighted)).toEqual(before);
    await other.fit(x, y, course);
    expect(weightsOf(unweighted)).not.toEqual(weightsOf(own));
    // A sample's weight is that of its class: the same training again.
    const again = twoHeads();
    const third = multiObjective(again, options);
    await third.fit(x, y, {
      ...course,
      sampleWeight: { digit: digits.map((digit) => [1, 5, 0.5, 2][digit]!) },
    });
    expectNear(weightsOf(again), weightsOf(own), 1e-6);
    for (const one of [multi, other, third]) one.dispose();
    for (const one of [stock, own, unweighted, again]) one.dispose();
    tf.dispose([x, y]);
  });

  it('takes arrays, lists, tensors, typed arrays and data sets: the same training', async () => {
    await expectConstantMemory(async () => {
      const course = { epochs: 2, batchSize: 10, shuffle: false };
      const trained = async (
        fit: (multi: ReturnType<typeof multiObjective<'digit' | 'age'>>) => Promise<unknown>,
      ): Promise<number[]> => {
        const model = twoHeads();
        const multi = multiObjective(model, options);
        await fit(multi);
        const weights = weightsOf(model);
        multi.dispose();
        model.dispose();
        return weights;
      };
      const x = tf.tensor2d(rows);
      const [digit, age] = [tf.tensor1d(digits, 'int32'), tf.tensor2d(ages, [count, 1])];
      const expected = await trained((multi) => multi.fit(x, { digit, age }, course));
      const flat = Float32Array.from(rows.flat());
      const data = tfd.zip({
        xs: tfd.array(rows),
        ys: tfd.zip({ digit: tfd.array(digits), age: tfd.array(ages) }),
      } as never);
      const ways: (typeof trained extends (fit: infer Fit) => unknown ? Fit : never)[] = [
        (multi) => multi.fit({ x, y: { digit, age } }, course),
        (multi) => multi.fit({ x: { features: rows }, y: [digits, ages] }, course),
        (multi) => multi.fit([x], [digit, age], course),
        (multi) => multi.fit(flat, { age: ages, digit: Int32Array.from(digits) }, course),
        (multi) => multi.fit(data.batch(10) as never, { epochs: 2 }),
        (multi) => multi.fit(data.repeat().batch(10) as never, { epochs: 2, batchesPerEpoch: 4 }),
      ];
      for (const way of ways) expectNear(await trained(way), expected, 1e-6);
      tf.dispose([x, digit, age]);
    });
  });

  it('shuffles as it is told: true by default, the same order for the same seed', async () => {
    const trained = async (shuffle?: number | boolean): Promise<number[]> => {
      const model = twoHeads();
      const multi = multiObjective(model, options);
      const y = { digit: digits, age: ages };
      await multi.fit(rows, y, { batchSize: 8, ...(shuffle === undefined ? {} : { shuffle }) });
      multi.dispose();
      return weightsOf(model);
    };
    const byDefault = await trained();
    expect(await trained(true)).toEqual(byDefault);
    expect(await trained(0)).toEqual(byDefault);
    expect(await trained(1)).not.toEqual(byDefault);
    expect(await trained(false)).not.toEqual(byDefault);
  });

  it('leaves samples without labels out of the losses of their output', async () => {
    await expectConstantMemory(async () => {
      const holes = (n: number): boolean => n % 3 === 0 || (n >= 8 && n < 16);
      const x = tf.tensor2d(rows);
      const y = {
        digit: digits.map((digit, n) => (n % 5 === 1 ? -1 : digit)),
        age: ages.map((age, n) => (holes(n) ? NaN : age)),
      };
      const model = twoHeads();
      const multi = multiObjective(model, options);
      const seen: string[] = [];
      const measured = await multi.evaluate(x, y, { batchSize: 8 });
      const { digit, age } = multi.predict(x);
      const [p, a] = [digit!.arraySync() as number[][], age!.dataSync()];
      const among = rows.map((_, n) => n);
      const mean = (of: readonly number[]): number => of.reduce((s, v) => s + v, 0) / of.length;
      const left = among.filter((n) => n % 5 !== 1);
      expect(measured['age_loss']).toBeCloseTo(
        mean(among.filter((n) => !holes(n)).map((n) => (a[n]! - ages[n]!) ** 2)),
        4,
      );
      expect(measured['digit_loss']).toBeCloseTo(
        mean(left.map((n) => -Math.log(p[n]![digits[n]!]!))),
        4,
      );
      expect(measured['digit_acc']).toBeCloseTo(
        mean(left.map((n) => (p[n]!.indexOf(Math.max(...p[n]!)) === digits[n] ? 1 : 0))),
        4,
      );
      await multi.fit(x, y, {
        batchSize: 8,
        shuffle: false,
        callbacks: [
          { onBatchEnd: (_, { losses }) => void seen.push(Object.keys(losses).join('+')) },
        ],
      });
      expect(seen).toEqual(['digit+age', 'digit', 'digit+age', 'digit+age', 'digit+age']);
      expect(weightsOf(model).every(Number.isFinite)).toBe(true);
      multi.dispose();
      model.dispose();
      tf.dispose([x, digit!, age!]);
    });
  });

  it('shares penalties of regularizers out, so that their sum is that of LayersModel.fit', async () => {
    const make = (): tfl.LayersModel => {
      seed = 0;
      const kernelRegularizer = tfl.regularizers.l2({ l2: 0.1 });
      const x = tfl.input({ shape: [3] });
      const trunk = layers
        .dense({ units: 5, kernelInitializer: drawn(), kernelRegularizer })
        .apply(x);
      const one = layers
        .dense({ units: 1, name: 'one', kernelInitializer: drawn(), kernelRegularizer })
        .apply(trunk);
      const two = layers.dense({ units: 1, name: 'two', kernelInitializer: drawn() }).apply(trunk);
      return tfl.model({ inputs: x, outputs: [one, two] as tfl.SymbolicTensor[] });
    };
    const [stock, own] = [make(), make()];
    stock.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });
    const multi = multiObjective(own, {
      loss: 'meanSquaredError',
      optimizer: 'sgd',
      strategy: sum(),
    });
    const [x, y] = [tf.tensor2d(rows), tf.tensor2d(ages, [count, 1])];
    const course = { epochs: 3, batchSize: 8, shuffle: false };
    const { history: expected } = await stock.fit(x, [y, y], { ...course, ...quiet });
    const { history } = await multi.fit(x, [y, y], course);
    expectNear(weightsOf(own), weightsOf(stock), 1e-5);
    expectNear(history['loss']!, expected['loss'] as number[], 1e-5);
    expect(multi.trainer.state!.groups.map(({ key }) => key)).toEqual(['one+two', 'one', 'two']);
    multi.dispose();
    for (const one of [stock, own]) one.dispose();
    tf.dispose([x, y]);
  });

  it('trains by a strategy that looks at gradients, and predicts and evaluates by name', async () => {
    await expectConstantMemory(async () => {
      const model = twoHeads();
      const lines: string[] = [];
      const multi = multiObjective(model, {
        ...options,
        optimizer: 'adam',
        learningRate: 0.05,
        strategy: mmpareto(),
      });
      const y = { digit: digits, age: ages };
      const before = await multi.evaluate(rows, y);
      const { history } = await multi.fit(rows, y, {
        epochs: 20,
        batchSize: 8,
        verbose: 1,
        print: (line) => void lines.push(line),
        validationData: [rows, y],
      });
      const after = await multi.evaluate({ x: rows, y });
      expect(after['digit_acc']).toBeGreaterThan(0.9);
      expect(after['age_loss']!).toBeLessThan(before['age_loss']! / 5);
      expect(history['val_digit_acc']!.at(-1)).toBeCloseTo(after['digit_acc']!, 5);
      expect(after['loss']).toBeCloseTo(after['digit_loss']! + after['age_loss']!, 5);
      expect(lines).toHaveLength(20);
      expect(lines[0]).toMatch(
        /^Epoch 1\/20 - loss: \d+\.\d{4} - digit_loss: .* - val_digit_acc: /,
      );
      const x = tf.tensor2d(rows);
      const found = multi.predict({ features: rows });
      const expected = model.predict(x) as tf.Tensor[];
      expect(Object.keys(found)).toEqual(['digit', 'age']);
      expect(found['digit']!.shape).toEqual([count, 4]);
      expect(found['age']!.dataSync()).toEqual(expected[1]!.dataSync());
      multi.dispose();
      tf.dispose([found, expected, x]);
      model.dispose();
    });
  });

  it('goes on bit for bit from a snapshot in the midst of an epoch, in a model of other names', async () => {
    const course = { epochs: 3, batchSize: 8, classWeight: { digit: { 0: 1, 1: 2, 2: 1, 3: 1 } } };
    const y = { digit: digits, age: ages.map((age, n) => (n % 6 === 0 ? NaN : age)) };
    const snapshots: TrainerSnapshot[] = [];
    const whole = multiObjective(twoHeads(), { ...options, optimizer: 'adam' });
    await whole.fit(rows, y, {
      ...course,
      callbacks: [
        {
          onSafePoint: async ({ step, snapshot }) => {
            if (step !== 7 || snapshots.length > 0) return;
            const { state, tensors } = await snapshot();
            const copies = Array.from(tensors, ([name, one]) => [name, tf.clone(one)] as const);
            snapshots.push({ state, tensors: new Map(copies) });
          },
        },
      ],
    });
    const later = multiObjective(twoHeads(), { ...options, optimizer: 'adam' });
    const resume = later.trainer.restore(snapshots[0]!);
    expect(resume).toMatchObject({ epoch: 1, batch: 2 });
    await later.fit(rows, y, { ...course, resume });
    expect(weightsOf(later.model)).toEqual(weightsOf(whole.model));
    for (const one of [whole, later]) {
      one.dispose();
      one.model.dispose();
    }
  });

  it('leaves no tensor behind where it throws', async () => {
    await expectConstantMemory(async () => {
      const model = twoHeads();
      const multi = multiObjective(model, options);
      const y = { digit: digits, age: ages };
      const wrong = [
        () => multi.fit(rows, { digit: digits }),
        () => multi.fit(rows, { ...y, ages: [1] }),
        () => multi.fit(rows.slice(1), y),
        () => multi.fit(rows, y, { classWeight: { digit: { 0: 1 } } }),
        () => multi.fit(rows, y, { sampleWeight: [1, 2] }),
        () => multi.fit(rows, y, { validationSplit: 0.99 }),
        () => multi.fit(rows, { digit: digits.map(() => -1), age: ages.map(() => NaN) }),
        () =>
          multi.fit(rows, y, {
            callbacks: [
              {
                onBatchEnd: () => {
                  throw new Error('enough');
                },
              },
            ],
          }),
        () => multi.fit(tfd.array([1]) as never),
        () => multi.evaluate(rows, { digit: digits, age: [[1, 2]] }),
      ];
      for (const call of wrong) await expect(call()).rejects.toThrow();
      expect(() => multi.predict([[1, 2]])).toThrow();
      multi.dispose();
      model.dispose();
    });
  });
});

describe('names', () => {
  it('of losses: every one has the numbers that LayersModel.compile gives it', async () => {
    await useBackend('cpu');
    const labels: Partial<Record<LossName, number[][]>> = {
      sparseCategoricalCrossentropy: [[1], [0], [2]],
    };
    const other = [
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ];
    const make = (): tfl.LayersModel => {
      seed = 0;
      return tfl.sequential({
        layers: [
          layers.dense({
            units: 3,
            activation: 'softmax',
            inputShape: [2],
            kernelInitializer: drawn(),
            name: 'out',
          }),
        ],
      });
    };
    for (const loss of lossNames) {
      const [stock, own] = [make(), make()];
      stock.compile({ loss, optimizer: 'sgd' });
      const multi = multiObjective(own, { loss, optimizer: 'sgd', strategy: sum() });
      const x = tf.tensor2d([
        [1, 2],
        [-1, 0.5],
        [0.2, -0.7],
      ]);
      const y = tf.tensor2d(labels[loss] ?? other);
      const expected = (stock.evaluate(x, y) as tf.Scalar).dataSync()[0]!;
      const { out_loss: found } = await multi.evaluate(x, y);
      expect(Math.abs(found! - expected), loss).toBeLessThan(1e-6);
      multi.dispose();
    }
  });

  it('of optimizers: each is made as LayersModel.compile makes it', () => {
    for (const optimizer of optimizerNames) {
      const model = twoHeads();
      model.compile({ loss: 'meanSquaredError', optimizer });
      const multi = multiObjective(model, { ...options, optimizer });
      expect(multi.trainer.snapshot().state.optimizer.kind).toBe(model.optimizer.getClassName());
      multi.dispose();
    }
  });

  it('that do not exist are refused with the nearest, also in plain JavaScript', async () => {
    const model = twoHeads();
    const make = (wrong: object) => () => multiObjective(model, { ...options, ...wrong } as never);
    expect(make({ loss: { digits: 'meanSquaredError' } })).toThrow(
      'Option `loss` should name outputs of the model: `digit`, `age`. Found `digits`. Did you mean `digit`?',
    );
    expect(make({ loss: { digit: 'meanSquareError' } })).toThrow(
      'Option `loss.digit` names no loss of TensorFlow.js: `meanSquareError`. Did you mean `meanSquaredError`?',
    );
    expect(make({ loss: ['meanSquaredError'] })).toThrow('Found a list of 1');
    expect(make({ metrics: { agee: 'mse' } })).toThrow('Found `agee`. Did you mean `age`?');
    expect(make({ metrics: 'acuracy' })).toThrow(/metrics that .* knows.*Found 'acuracy'/);
    expect(make({ optimizer: 'adamm' })).toThrow('Did you mean `adam`?');
    expect(make({ lossweights: {} })).toThrow(
      '`multiObjective` has no option `lossweights`. Did you mean `lossWeights`?',
    );
    const multi = multiObjective(model, options);
    const y = { digit: digits, age: ages };
    const fit = (wrong: object): Promise<unknown> => multi.fit(rows, y, wrong);
    await expect(fit({ batchsize: 2 })).rejects.toThrow('Did you mean `batchSize`?');
    await expect(fit({ classWeight: { digt: { 0: 1 } } })).rejects.toThrow('Did you mean `digit`?');
    await expect(fit({ classWeight: { 0: 1 } })).rejects.toThrow('should name an output');
    await expect(fit({ sampleWeight: { digt: [1] } })).rejects.toThrow('Did you mean `digit`?');
    await expect(fit({ verbose: 3 })).rejects.toThrow('Option `verbose` should be 0, 1 or 2');
    await expect(fit({ validationSplit: 1 })).rejects.toThrow('between 0 and 1. Found 1');
    await expect(fit({ validationSplit: 0.5, validationData: [rows, y] })).rejects.toThrow(
      'exclude each other',
    );
    await expect(fit({ batchesPerEpoch: 2 })).rejects.toThrow('is for data sets');
    const data = tfd.array([{ xs: rows[0]!, ys: { digit: 0, age: 1 } }]).batch(1) as never;
    for (const wrong of [{ shuffle: true }, { batchSize: 2 }, { validationSplit: 0.5 }]) {
      await expect(multi.fit(data, wrong)).rejects.toThrow(
        'is for arrays. Found it beside a data set',
      );
    }
    await expect(multi.fit(rows, { digit: digits, agee: ages } as never)).rejects.toThrow(
      "`y` should have an array for each of the model's outputs: `digit`, `age`. Found `agee`. Did you mean `age`?",
    );
    await expect(multi.fit(rows, { digit: digits, age: rows })).rejects.toThrow(
      '`y.age` should have the shape [n, 1]. Found [40, 3].',
    );
    await expect(multi.fit({ featurs: rows }, y)).rejects.toThrow('Did you mean `features`?');
    await expect(multi.fit(rows as never)).rejects.toThrow('A model should get inputs and labels');
    multi.dispose();
  });
});
