import type { MultigradError } from '@multigrad/core/strategy';
import {
  expectConstantMemory,
  normalTensor,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { multilayerPerceptron } from '../encoders/multilayer-perceptron.ts';
import { tokenLstm } from '../encoders/token-lstm.ts';
import { multimodalNetwork } from '../networks/make-multimodal-network.ts';
import { contributionLog } from './contribution-log.ts';
import type { Predict } from './coalition-values.ts';
import { type ContributionOptions, modalityContributions } from './modality-contributions.ts';
import { modalityMeans } from './modality-means.ts';
import { sampleValuation } from './sample-valuation.ts';
import { shapleyValues } from './shapley.ts';

type Batch = Readonly<Record<string, tf.Tensor>> & { readonly label: tf.Tensor1D };
type Ask = Predict<Batch, string>;

const classes = 3;
const samples = 40;

interface Fixture {
  readonly modalities: readonly string[];
  readonly batches: readonly Batch[];
  readonly predict: Ask;
  dispose(): void;
}

/** Modalities of four numbers, and a prediction that is not linear in them; the first ones tell most of the label. */
function fixture(count: number): Fixture {
  const modalities = Array.from({ length: count }, (_, k) => `m${k}`);
  const kernels = modalities.map((_, k) => normalTensor([4, classes], 100 + k) as tf.Tensor2D);
  const batches = [0, 1].map((b) => {
    const inputs = modalities.map((name, k) => [name, normalTensor([samples, 4], 10 * b + k)]);
    const label = tf.tidy(() => {
      const clean = modalities.map((_, k) =>
        tf.mul(tf.matMul((inputs[k] as [string, tf.Tensor2D])[1], kernels[k]!), 1 / (1 + k)),
      );
      return tf.cast(tf.argMax(tf.addN(clean), 1), 'int32');
    });
    return { ...Object.fromEntries(inputs), label } as unknown as Batch;
  });
  return {
    modalities,
    batches,
    predict: (batch) =>
      tf.addN(
        modalities.map((name, k) =>
          tf.tanh(tf.add(tf.matMul(batch[name] as tf.Tensor2D, kernels[k]!), 0.1 * k)),
        ),
      ),
    dispose: () => tf.dispose([kernels, batches as Batch[]]),
  };
}

/** All orders of these. */
function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    ordersOf(items.filter((_, k) => k !== at)).map((rest) => [item, ...rest]),
  );
}

/** Right answers over all batches where only these modalities are seen. */
function countRight({ batches, predict, modalities }: Fixture, seen: readonly string[]): number {
  return tf.tidy(() => {
    let right = 0;
    for (const batch of batches) {
      const inputs = Object.fromEntries(
        modalities.map((name) => [
          name,
          seen.includes(name) ? batch[name]! : tf.zerosLike(batch[name]!),
        ]),
      );
      const rows = predict({ ...inputs, label: batch.label }, seen).arraySync() as number[][];
      const labels = batch.label.arraySync();
      right += rows.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]).length;
    }
    return right;
  });
}

async function withFixture(count: number, body: (fixture: Fixture) => unknown): Promise<void> {
  await expectConstantMemory(async () => {
    const made = fixture(count);
    try {
      await expectConstantMemory(async () => {
        await body(made);
      });
    } finally {
      made.dispose();
    }
  });
}

const factorials = [1, 1, 2, 6, 24, 120, 720];

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it.each([2, 3, 6])('equals the mean over all orders of %i modalities', async (count) => {
    await withFixture(count, async (made) => {
      const { modalities, batches, predict } = made;
      const found = await modalityContributions(predict, batches, { modalities });
      const total = samples * batches.length;
      const rights = new Map<string, number>();
      const right = (seen: readonly string[]): number => {
        const key = [...seen].sort().join(' ');
        if (!rights.has(key)) rights.set(key, countRight(made, seen));
        return rights.get(key)!;
      };
      const sums = new Map<string, number>();
      for (const order of ordersOf(modalities)) {
        order.forEach((name, at) => {
          const added = right(order.slice(0, at + 1)) - right(order.slice(0, at));
          sums.set(name, (sums.get(name) ?? 0) + added);
        });
      }
      for (const name of modalities) {
        expect(found.contributions[name]!.value).toBe(
          sums.get(name)! / (factorials[count]! * total),
        );
      }
      expect(found.samples).toBe(total);
      expect(found.joint).toBe(right(modalities) / total);
      expect(found.chance).toBe(right([]) / total);
      for (const { seen, value } of found.coalitions) expect(value).toBe(right(seen) / total);
      for (const name of modalities) {
        const others = modalities.filter((other) => other !== name);
        expect(found.drops[name]!.value).toBe((right(modalities) - right(others)) / total);
        expect(found.gains[name]!.value).toBe((right([name]) - right([])) / total);
      }
      const alone = modalities.reduce((sum, name) => sum + right([name]) - right([]), 0);
      expect(found.cooperation.value).toBe((right(modalities) - right([]) - alone) / total);
      // The weak test of a game in which nothing happens: modalities matter here.
      expect(found.joint).toBeGreaterThan(0.6);
      expect(found.contributions['m0']!.value).toBeGreaterThan(0.05);
    });
  });

  it.each([2, 3, 6])('adds up to joint accuracy less chance, of %i modalities', async (count) => {
    await withFixture(count, async ({ modalities, batches, predict }) => {
      const {
        joint,
        chance,
        contributions,
        byClass,
        samples: total,
      } = await modalityContributions(predict, batches, { modalities });
      const whole = (figures: { readonly samples: number }): number =>
        factorials[count]! * figures.samples;
      for (const figures of [{ joint, chance, contributions, samples: total }, ...byClass]) {
        // Right answers times M!: integers, which add up without rounding.
        const numerators = modalities.map((name) => {
          const { value } = figures.contributions[name]!;
          const numerator = Math.round(value * whole(figures));
          expect(value).toBe(numerator / whole(figures));
          return numerator;
        });
        const right = Math.round(figures.joint * figures.samples);
        const byChance = Math.round(figures.chance * figures.samples);
        expect(numerators.reduce((sum, numerator) => sum + numerator, 0)).toBe(
          factorials[count]! * (right - byChance),
        );
      }
      // Classes weighted by their samples are the whole.
      for (const name of modalities) {
        const mean = byClass.reduce(
          (sum, one) => sum + one.samples * one.contributions[name]!.value,
          0,
        );
        expect(mean / total).toBeCloseTo(contributions[name]!.value, 12);
      }
      expect(byClass.map(({ label }) => label)).toEqual([0, 1, 2]);
    });
  });

  it('measures probabilities too, and takes a guess for chance where asked', async () => {
    await withFixture(2, async ({ modalities, batches, predict }) => {
      const measure = (options: Partial<ContributionOptions<string>>) =>
        modalityContributions(predict, batches, { modalities, ...options });
      const expected = (value: (probability: number) => number): number[] =>
        [[], ['m0'], ['m1'], ['m0', 'm1']].map((seen) =>
          tf.tidy(() => {
            const values = batches.flatMap((batch) => {
              const masked = Object.fromEntries(
                modalities.map((name) => [
                  name,
                  seen.includes(name) ? batch[name]! : tf.zerosLike(batch[name]!),
                ]),
              );
              const p = tf.softmax(predict({ ...masked, label: batch.label }, seen)).arraySync();
              const labels = batch.label.arraySync();
              return (p as number[][]).map((row, i) => value(row[labels[i]!]!));
            });
            return values.reduce((sum, one) => sum + one, 0) / values.length;
          }),
        );
      for (const [value, of] of [
        ['probability', (p: number) => p],
        ['log-probability', (p: number) => Math.log(p)],
      ] as const) {
        const found = await measure({ value });
        const games = expected(of);
        found.coalitions.forEach((coalition, s) =>
          expect(coalition.value).toBeCloseTo(games[s]!, 5),
        );
        const [first, second] = shapleyValues(games);
        expect(found.contributions['m0']!.value).toBeCloseTo(first!, 5);
        expect(found.contributions['m1']!.value).toBeCloseTo(second!, 5);
        expect(found.interactions[0]!.value).toBeCloseTo(
          games[3]! - games[1]! - games[2]! + games[0]!,
          5,
        );
        const guessed = await measure({ value, chance: 'uniform' });
        expect(guessed.chance).toBeCloseTo(of(1 / 3), 12);
      }
      const [, p0, p1] = expected((p) => p);
      const { imbalance, interactions } = await measure({});
      expect(imbalance['m0']).toBeCloseTo(p0! / p1!, 5);
      expect(imbalance['m1']).toBeCloseTo(p1! / p0!, 5);
      expect(interactions.map(({ pair }) => pair)).toEqual([['m0', 'm1']]);
    });
  });

  it('gives the standard error of the mean of each sample’s own game', async () => {
    await withFixture(3, async ({ modalities, batches, predict }) => {
      const found = await modalityContributions(predict, batches, { modalities });
      // Each sample by itself is a set of one: its contributions have no error.
      const own: number[] = [];
      for (const batch of batches) {
        for (let i = 0; i < samples; i++) {
          const one = tf.tidy(() =>
            Object.fromEntries(
              Object.entries(batch).map(([name, tensor]) => [name, tf.slice(tensor, [i], [1])]),
            ),
          ) as unknown as Batch;
          const single = await modalityContributions(predict, [one], { modalities });
          tf.dispose(one);
          expect(single.contributions['m1']!.standardError).toBeNull();
          own.push(single.contributions['m1']!.value);
        }
      }
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
      const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (own.length - 1);
      const { value, standardError, low, high } = found.contributions['m1']!;
      expect(value).toBeCloseTo(mean, 12);
      expect(standardError).toBeCloseTo(Math.sqrt(variance / own.length), 12);
      expect(high! - value).toBeCloseTo(1.959963985 * standardError!, 9);
      expect(value - low!).toBeCloseTo(1.959963985 * standardError!, 9);
    });
  });

  it('gives exactly 0 to a modality that the network ignores, whatever the classes', async () => {
    await withFixture(2, async ({ modalities, batches, predict }) => {
      const deaf: Ask = (batch, seen) =>
        predict({ ...batch, m1: tf.zerosLike(batch['m1']!) }, seen);
      const { contributions } = await modalityContributions(deaf, batches, { modalities });
      expect(contributions['m1']).toEqual({ value: 0, standardError: 0, low: 0, high: 0 });
    });
  });

  it('masks by means and by tokens, and lets a network mask by itself', async () => {
    await withFixture(2, async ({ modalities, batches, predict }) => {
      const means = await modalityMeans(batches, modalities);
      const [token, narrow] = [tf.tensor1d([0.5, -1, 2, 0]), tf.scalar(1)];
      const asked: string[] = [];
      const shown: number[][] = [];
      const watching: Ask = (batch, seen) => {
        asked.push(seen.join('+'));
        shown.push([...batch['m0']!.dataSync().slice(-4)]);
        return predict(batch, seen);
      };
      const last = [...batches[1]!['m0']!.dataSync().slice(-4)];
      await modalityContributions(watching, batches, { modalities, masks: means });
      expect(asked.slice(4)).toEqual(['', 'm0', 'm1', 'm0+m1']);
      const mean = [...means['m0']!.dataSync()];
      expect(shown.slice(4)).toEqual([mean, last, mean, last]);
      const values = batches.flatMap((batch) => batch['m0']!.arraySync() as number[][]);
      mean.forEach((value, j) =>
        expect(value).toBeCloseTo(values.reduce((sum, row) => sum + row[j]!, 0) / values.length, 6),
      );
      shown.length = 0;
      await modalityContributions(watching, [batches[1]!], {
        modalities,
        masks: { m0: token, m1: narrow },
      });
      expect(shown[0]).toEqual([0.5, -1, 2, 0]);
      shown.length = 0;
      await modalityContributions(watching, [batches[1]!], { modalities, masks: 'own' });
      expect(shown).toEqual([last, last, last, last]);
      tf.dispose([means, token, narrow]);
    });
  });

  it('takes token numbers, and a network of ours', async () => {
    await expectConstantMemory(async () => {
      const network = multimodalNetwork({
        encoders: {
          text: tokenLstm({ name: 'text', vocabulary: 5, length: 3, width: 4, seed: 1 }),
          table: multilayerPerceptron({
            name: 'table',
            shape: [4],
            hidden: [5],
            features: 4,
            seed: 1,
          }),
        },
        classes,
        seed: 1,
      });
      const batch = {
        text: tf.tensor2d(
          [
            [1, 2, 3],
            [4, 0, 0],
            [2, 2, 0],
          ],
          [3, 3],
          'int32',
        ),
        table: normalTensor([3, 4], 1),
        label: tf.tensor1d([0, -1, 2], 'int32'),
      };
      const { label: target, ...inputs } = batch;
      const found = await modalityContributions(
        (seen) => network.forward(seen, { training: false }).multimodal,
        [{ ...inputs, target }],
        { modalities: network.modalities, labels: 'target' },
      );
      expect(found.samples).toBe(2);
      expect(found.byClass.map(({ label, samples: count }) => [label, count])).toEqual([
        [0, 1],
        [2, 1],
      ]);
      await expect(modalityMeans([batch], network.modalities)).rejects.toThrow(
        '`modalityMeans` should find in each batch a tensor of `text`, float32 [n, …]. Found int32 [3, 3].',
      );
      tf.dispose(batch);
      network.dispose();
    });
  });

  it('values each sample by the size of the sets that tell it right', async () => {
    await withFixture(3, async (made) => {
      const { modalities, batches, predict } = made;
      const [batch] = batches;
      const found = await sampleValuation(predict, batch!, { modalities });
      const right = (seen: readonly string[]): boolean[] =>
        tf.tidy(() => {
          const masked = Object.fromEntries(
            modalities.map((name) => [
              name,
              seen.includes(name) ? batch![name]! : tf.zerosLike(batch![name]!),
            ]),
          );
          const rows = predict({ ...masked, label: batch!.label }, seen).arraySync() as number[][];
          const labels = batch!.label.arraySync();
          return rows.map((row, i) => row.indexOf(Math.max(...row)) === labels[i]);
        });
      const orders = ordersOf(modalities);
      const sums = modalities.map(() => new Array<number>(samples).fill(0));
      for (const order of orders) {
        order.forEach((name, at) => {
          const [before, after] = [right(order.slice(0, at)), right(order.slice(0, at + 1))];
          after.forEach((hit, i) => {
            const k = modalities.indexOf(name);
            sums[k]![i]! += (hit ? at + 1 : 0) - (before[i] ? at : 0);
          });
        });
      }
      modalities.forEach((name, k) =>
        expect([...found[name]!]).toEqual(sums[k]!.map((sum) => sum / orders.length)),
      );
      const none = tf.fill([samples], -1, 'int32') as tf.Tensor1D;
      const unlabelled = await sampleValuation(predict, { ...batch!, label: none }, { modalities });
      none.dispose();
      expect([...unlabelled['m0']!]).toEqual(new Array(samples).fill(NaN));
    });
  });

  it('logs contributions of every n-th epoch', async () => {
    await withFixture(2, async ({ modalities, batches, predict }) => {
      const log = contributionLog(predict, () => batches, { modalities, every: 2 });
      expect(log.latest()).toBeUndefined();
      expect(await log.onMeasure(0)).toBeNull();
      const logs = await log.onMeasure(1);
      const { contributions } = await modalityContributions(predict, batches, { modalities });
      expect(logs).toEqual({
        val_contribution_m0: contributions['m0']!.value,
        val_contribution_m1: contributions['m1']!.value,
      });
      expect(log.latest()!.contributions).toEqual(contributions);
      const classwise = contributionLog(predict, () => batches, { modalities, byClass: true });
      const { byClass } = await modalityContributions(predict, batches, { modalities });
      expect(byClass).toHaveLength(classes);
      expect(await classwise.onMeasure(0)).toEqual({
        ...logs,
        ...Object.fromEntries(
          byClass.flatMap((figures) =>
            modalities.map((name) => [
              `val_contribution_${name}_class${figures.label}`,
              figures.contributions[name]!.value,
            ]),
          ),
        ),
      });
      const odd = { modalities, byClass: 'yes' as unknown as boolean };
      expect(() => contributionLog(predict, () => batches, odd)).toThrow('Option `byClass`');
      expect(() => contributionLog(predict, () => batches, { modalities, every: 0 })).toThrow(
        'Option `every` of `contributionLog`',
      );
    });
  });

  it('frees batches that are read one by one, and keeps those of an array', async () => {
    await expectConstantMemory(async () => {
      const made = fixture(2);
      const { modalities, batches, predict } = made;
      async function* stream(): AsyncGenerator<Batch> {
        for (const batch of batches) {
          await Promise.resolve();
          yield Object.fromEntries(
            Object.entries(batch).map(([name, tensor]) => [name, tensor.clone()]),
          ) as unknown as Batch;
        }
      }
      const before = tf.memory().numTensors;
      const streamed = await modalityContributions(predict, stream(), { modalities });
      expect(tf.memory().numTensors).toBe(before);
      expect(await modalityContributions(predict, batches, { modalities })).toEqual(streamed);
      let calls = 0;
      const failing: Ask = (batch, seen) => {
        calls += 1;
        if (calls === 3) throw new Error('broken');
        return predict(batch, seen);
      };
      await expect(modalityContributions(failing, stream(), { modalities })).rejects.toThrow(
        'broken',
      );
      expect(tf.memory().numTensors).toBe(before);
      made.dispose();
    });
  });

  it('refuses what it cannot measure, and holds nothing then', async () => {
    await withFixture(2, async ({ modalities, batches, predict }) => {
      const fails = async (
        expected: string,
        code: string,
        options: Record<string, unknown> = {},
        asked: Ask = predict,
        data: readonly unknown[] = batches,
      ): Promise<void> => {
        const error: unknown = await modalityContributions(asked, data as Batch[], {
          modalities,
          ...options,
        }).catch((thrown: unknown) => thrown);
        expect(String(error)).toContain(expected);
        expect((error as MultigradError).code).toBe(code);
      };
      await fails('at most 6 modalities (64 passes). Found 7', 'unsupported', {
        modalities: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
      });
      await fails(
        'two or more entries of a batch, none of them twice. Found ["m0"]',
        'invalid-option',
        {
          modalities: ['m0'],
        },
      );
      await fails('none of them twice. Found ["m0","m0"]', 'invalid-option', {
        modalities: ['m0', 'm0'],
      });
      await fails('Found undefined', 'invalid-option', { modalities: undefined });
      await fails("'zero', 'own' or a tensor for each modality. Found \"mean\"", 'invalid-option', {
        masks: 'mean',
      });
      const narrow = tf.zeros([3]);
      await fails('Found undefined for `m1`', 'invalid-option', { masks: { m0: narrow } });
      await fails(
        'should hold for `m0` a tensor that broadcasts to a sample, float32 [4]. Found float32 [3]',
        'invalid-option',
        { masks: { m0: narrow, m1: narrow } },
      );
      narrow.dispose();
      await fails(
        "'accuracy', 'probability', 'log-probability'. Found \"loss\"",
        'invalid-option',
        {
          value: 'loss',
        },
      );
      await fails("'masked', 'uniform'. Found 0.1", 'invalid-option', { chance: 0.1 });
      await fails('at least one sample with a label. Found none', 'invalid-data', {}, predict, []);
      const [{ m0, m1, label }] = batches as unknown as [Record<string, tf.Tensor1D>];
      await fails(
        '40 samples of `m1`, as many as labels. Found undefined',
        'invalid-data',
        {},
        predict,
        [{ m0, label }],
      );
      await fails('labels in `label`, int32 [n]. Found undefined', 'invalid-data', {}, predict, [
        { m0, m1 },
      ]);
      const high = tf.fill([samples], 3, 'int32');
      await fails(
        'integers from 0 to 2 for 3 classes, or -1 for a missing label. Found 3 at position 0',
        'invalid-data',
        {},
        predict,
        [{ m0, m1, label: high }],
      );
      high.dispose();
      await fails('Found float32 [40] where no modality is seen', 'invalid-argument', {}, (batch) =>
        tf.sum(batch['m0']!, 1),
      );
      await fails('without a promise. Found', 'invalid-argument', {}, ((batch: never) =>
        Promise.resolve(batch)) as never);
      await fails(
        'for sample 0 of a batch where `m0`, `m1` are seen',
        'non-finite',
        {},
        (batch, seen) =>
          seen.length < 2 ? predict(batch, seen) : tf.mul(predict(batch, seen), NaN),
      );
      let calls = 0;
      await fails('float32 logits of shape [40, 3]', 'invalid-argument', {}, (batch, seen) => {
        calls += 1;
        const logits = predict(batch, seen);
        return calls < 3 ? logits : (tf.slice(logits, [0, 0], [-1, 2]) as tf.Tensor);
      });
    });
  });
});
