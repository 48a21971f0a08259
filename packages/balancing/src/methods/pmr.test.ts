import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { balanced } from '../driver/balanced.ts';
import { describeBalancing } from '../testing/conformance.ts';
import { passOf } from '../testing/pass.ts';
import { smallNetwork, smallSamples } from '../testing/training.ts';
import { plugin, pmr, type PmrState } from './pmr.ts';

describeBalancing({ plugin, fusion: 'gated', options: { share: '1' } });

const modalities = ['a', 'b', 'c'] as const;
type Rows = readonly (readonly number[])[];

/** The term in plain float64, after the paper's formulas, with the weights given or found by the ratios. */
function reference(
  vectors: Readonly<Record<string, Rows>>,
  prototypes: Readonly<Record<string, Rows>>,
  labels: readonly number[],
  options: { readonly alpha: number; readonly mu: number },
  weights?: readonly { readonly u: number; readonly v: number }[],
) {
  const labelled = labels.flatMap((label, i) => (label < 0 ? [] : [i]));
  const probabilities = modalities.map((m) =>
    labelled.map((i) => {
      const exponentials = prototypes[m]!.map((c) =>
        Math.exp(-Math.hypot(...c.map((value, j) => vectors[m]![i]![j]! - value))),
      );
      const total = exponentials.reduce((sum, e) => sum + e);
      return exponentials.map((e) => e / total);
    }),
  );
  const scores = probabilities.map((rows) =>
    rows.reduce((sum, p, n) => sum + p[labels[labelled[n]!]!]!, 0),
  );
  const clip = (x: number): number => Math.min(1, Math.max(0, x));
  const found = scores.map((score) => {
    const ratio = score / ((scores.reduce((sum, s) => sum + s) - score) / (scores.length - 1));
    return { u: options.alpha * clip(1 / ratio - 1), v: options.mu * clip(ratio - 1) };
  });
  const term = probabilities.reduce((sum, rows, m) => {
    const { u, v } = (weights ?? found)[m]!;
    return rows.reduce((inner, p, n) => {
      const crossEntropy = -Math.log(p[labels[labelled[n]!]!]!);
      const entropy = -p.reduce((s, q) => s + q * Math.log(q), 0);
      return inner + (u * crossEntropy - v * entropy) / labelled.length;
    }, sum);
  }, 0);
  return { term, weights: found, scores: scores.map((score) => score / labelled.length) };
}

const batchOf = async (from: number) =>
  (await smallSamples(from).batch(Int32Array.from([0, 1, 2, 11, 4, 3]), { epoch: 0 })) as Record<
    'a' | 'b' | 'c' | 'label',
    tf.Tensor2D
  >;

/** A state with prototypes from fixed numbers. */
const stateOf = (updates = 1): PmrState => ({
  updates,
  prototypes: Object.fromEntries(
    modalities.map((m, k) => [
      m,
      [0, 1, 2].map((c) => [0, 1, 2, 3].map((j) => Math.sin(5 * k + 3 * c + j) / 2)),
    ]),
  ),
});

const nameOf = (network: ReturnType<typeof smallNetwork>, variable: tf.Variable): string =>
  [...network.namedVariables].find(([, one]) => one === variable)![0];

const vectorsOf = (network: ReturnType<typeof smallNetwork>, batch: tf.NamedTensorMap) =>
  tf.tidy(() => {
    const vectors = network.vectors(network.features(batch, { training: true }));
    return Object.fromEntries(modalities.map((m) => [m, vectors[m]!.arraySync()]));
  });

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it.each([1, 2, 3, 4, 5])(
    'adds the term of the paper to the joint loss, and leaves the others alone: case %i',
    async (from) => {
      await expectConstantMemory(async () => {
        const network = smallNetwork(3, 'gated');
        const batch = await batchOf(from);
        const options = { alpha: 0.8, mu: 0.3 };
        const plain = tf.tidy(() => {
          const label = batch.label as unknown as tf.Tensor1D;
          return network.objectives(batch, label, { training: true });
        });
        const { objectives, signals } = passOf(
          pmr(options),
          network,
          batch as never,
          stateOf() as never,
        );
        const labels = [...batch.label.dataSync()];
        const expected = reference(
          vectorsOf(network, batch),
          stateOf().prototypes!,
          labels,
          options,
        );
        expect(expected.term).not.toBe(0);
        const added =
          objectives['joint']!.loss.dataSync()[0]! - plain['joint']!.loss.dataSync()[0]!;
        expect(Math.abs(added - expected.term)).toBeLessThan(2e-6);
        modalities.forEach((m, k) => {
          expect(objectives[m]!.loss.dataSync()).toEqual(plain[m]!.loss.dataSync());
          expect(Math.abs(signals![m]!.dataSync()[0]! - expected.scores[k]!)).toBeLessThan(1e-6);
        });
        tf.dispose([batch, plain, objectives, signals] as unknown as tf.TensorContainer);
        network.dispose();
      });
    },
  );

  it.each([1, 4])(
    'has finite numbers where all features are the same, %i of each',
    async (features) => {
      await expectConstantMemory(async () => {
        const network = smallNetwork(3, 'gated', features);
        // Units that are closed for every input: features and prototypes are 0, as those of a narrow encoder may be.
        for (const variable of network.trainableVariables) {
          if (/^[abc]\/.*bias/.test(nameOf(network, variable))) {
            tf.tidy(() => variable.assign(tf.fill(variable.shape, -1e3)));
          }
        }
        const batch = await batchOf(1);
        const prototypes = Object.fromEntries(
          modalities.map((m) => [m, [0, 1, 2].map(() => new Array<number>(features).fill(0))]),
        );
        const state: PmrState = { updates: 1, prototypes };
        const { value, grads } = tf.variableGrads(
          () =>
            passOf(pmr(), network, batch as never, state as never).objectives['joint']!
              .loss as tf.Scalar,
        );
        expect(value.dataSync()[0]).toBeGreaterThan(0);
        for (const gradient of Object.values(grads)) {
          expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
        }
        const { objectives, signals } = passOf(pmr(), network, batch as never, state as never);
        // Equal prototypes say nothing of a class: one in three is right, and nobody lags.
        for (const m of modalities) expect(signals![m]!.dataSync()[0]).toBeCloseTo(1 / 3, 6);
        tf.dispose([batch, value, grads, objectives, signals] as unknown as tf.TensorContainer);
        network.dispose();
      });
    },
  );

  it('has the gradient of the term with its weights held fixed, by finite differences', async () => {
    await expectConstantMemory(async () => {
      const network = smallNetwork(3, 'gated');
      const batch = await batchOf(2);
      const options = { alpha: 0.8, mu: 0.3 };
      const labels = [...batch.label.dataSync()];
      const bias = network.parts['a']!.at(-1)!;
      const gradientOf = (state: PmrState): number[] => {
        const { value, grads } = tf.variableGrads(
          () =>
            passOf(pmr(options), network, batch as never, state as never).objectives['joint']!
              .loss as tf.Scalar,
          [bias],
        );
        const [gradient] = Object.values(grads);
        const numbers = [...gradient!.dataSync()];
        tf.dispose([value, grads]);
        return numbers;
      };
      const plain = gradientOf({ updates: 0, prototypes: null });
      const own = gradientOf(stateOf());
      const start = [...bias.dataSync()];
      const prototypes = stateOf().prototypes!;
      const { weights } = reference(vectorsOf(network, batch), prototypes, labels, options);
      const h = 1e-2;
      const at = (j: number, delta: number): number => {
        tf.tidy(() =>
          bias.assign(
            tf.tensor(
              start.map((v, i) => (i === j ? v + delta : v)),
              bias.shape,
            ),
          ),
        );
        const vectors = vectorsOf(network, batch);
        return reference(vectors, prototypes, labels, options, weights).term;
      };
      start.forEach((_, j) => {
        expect(own[j]! - plain[j]!).toBeCloseTo((at(j, h) - at(j, -h)) / (2 * h), 3);
      });
      expect(own).not.toEqual(plain);
      tf.dispose(batch);
      network.dispose();
    });
  });

  it('moves prototypes by momentum, and keeps those of classes that are absent', async () => {
    await expectConstantMemory(async () => {
      const network = smallNetwork(3, 'gated');
      const method = pmr({ momentum: 0.25, share: 1 });
      const play = async (samples: ReturnType<typeof smallSamples>, state: PmrState) => {
        const balance = balanced(method, network, { data: { samples } });
        balance.callback.restore!(state);
        await balance.callback.onEpochBegin!(0);
        balance.dispose();
        return balance.state() as unknown as PmrState;
      };
      const none: PmrState = { updates: 0, prototypes: null };
      const first = await play(smallSamples(1), none);
      const target = await play(smallSamples(7), none);
      const moved = await play(smallSamples(7), first);
      expect(moved.updates).toBe(2);
      moved.prototypes!['a']!.forEach((row, c) =>
        row.forEach((value, j) => {
          const [old, mean] = [first, target].map(({ prototypes }) => prototypes!['a']![c]![j]!);
          expect(value).toBeCloseTo(0.25 * old! + 0.75 * mean!, 10);
        }),
      );
      // Positions 0 and 1 are of the classes 0 and 1.
      const some = await play(smallSamples(7, 3), first);
      expect(some.prototypes!['b']![2]).toEqual(first.prototypes!['b']![2]);
      await expect(play(smallSamples(7, 3), none)).rejects.toThrow('Found none of class 2');
      network.dispose();
    });
  });
});
