import { MultiObjectiveTrainer } from '@multigrad/core';
import {
  expectConstantMemory,
  only,
  startTestBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { multilayerPerceptron } from '../encoders/multilayer-perceptron.ts';
import { multimodalNetwork } from '../networks/make-multimodal-network.ts';
import { pmr, type PmrOptions } from './pmr.ts';

const seed = 5;

function network() {
  const encoder = (name: string, features: number) =>
    multilayerPerceptron({ name, shape: [3], hidden: [4], features, seed });
  const encoders = { a: encoder('a', 3), b: encoder('b', 2), c: encoder('c', 2) };
  return multimodalNetwork({ encoders, fusion: 'gated', classes: 3, seed });
}

const batch = (from = 1) => ({
  a: tf.randomNormal([6, 3], 0, 1, 'float32', from),
  b: tf.randomNormal([6, 3], 0, 1, 'float32', from + 1),
  c: tf.randomNormal([6, 3], 0, 1, 'float32', from + 2),
  label: tf.tensor1d([0, 1, 2, -1, 1, 0], 'int32'),
});

const training = { training: true, step: 0 };
const modalities = ['a', 'b', 'c'] as const;

/** The term in plain float64, after the paper's formulas, with the weights given or found by the ratios. */
function reference(
  vectors: Record<string, number[][]>,
  prototypes: Record<string, readonly (readonly number[])[]>,
  labels: readonly number[],
  options: Required<Pick<PmrOptions, 'alpha' | 'mu'>>,
  weights?: { readonly u: number; readonly v: number }[],
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
  const found = scores.map((score) => {
    const ratio = score / ((scores.reduce((sum, s) => sum + s) - score) / (scores.length - 1));
    const clip = (x: number) => Math.min(1, Math.max(0, x));
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

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestBackend(backend === 'wasm' ? 'wasm' : 'cpu');
  });

  describe('pmr', () => {
    it('adds the term of the paper to the joint loss, and leaves the others alone', async () => {
      await expectConstantMemory(async () => {
        const net = network();
        const [data, other] = [batch(), batch(7)];
        const rebalance = pmr(net, { alpha: 0.8, mu: 0.3 });
        const plain = net.objectives(data, data.label, training);
        const before = rebalance.objectives(data, data.label, training);
        expect(before.multimodal.loss.arraySync()).toBe(plain.multimodal.loss.arraySync());
        await rebalance.update([other]);
        const measured = rebalance.objectives(data, data.label, training);
        const vectors = tf.tidy(() => {
          const features = net.vectors(net.features(data, training));
          return Object.fromEntries(modalities.map((m) => [m, features[m].arraySync()]));
        });
        const expected = reference(vectors, rebalance.prototypes()!, [...data.label.dataSync()], {
          alpha: 0.8,
          mu: 0.3,
        });
        expect(expected.weights.some(({ u }) => u > 0)).toBe(true);
        expect(expected.weights.some(({ v }) => v > 0)).toBe(true);
        const added = measured.multimodal.loss.arraySync() - plain.multimodal.loss.arraySync();
        expect(added).toBeCloseTo(expected.term, 5);
        modalities.forEach((m, k) => {
          expect(measured[m].loss.arraySync()).toBe(plain[m].loss.arraySync());
          expect(measured[m].metrics.prototype!.arraySync()).toBeCloseTo(expected.scores[k]!, 5);
        });
        tf.dispose([data, other, plain, before, measured]);
        rebalance.dispose();
        net.dispose();
      });
    });

    it('has the gradient of the term with its weights held fixed, by finite differences', async () => {
      await expectConstantMemory(async () => {
        const net = network();
        const [data, other] = [batch(), batch(7)];
        const options = { alpha: 0.8, mu: 0.3 };
        const rebalance = pmr(net, options);
        await rebalance.update([other]);
        const bias = net.namedVariables.get('a/features/bias') ?? [...net.parts.a].at(-1)!;
        const gradientOf = (objectives: typeof rebalance.objectives) => {
          const { value, grads } = tf.variableGrads(
            () => objectives(data, data.label, training).multimodal.loss,
            [bias as tf.Variable],
          );
          value.dispose();
          const [gradient] = Object.values(grads);
          const numbers = [...gradient!.dataSync()];
          gradient!.dispose();
          return numbers;
        };
        const plain = gradientOf(net.objectives.bind(net) as typeof rebalance.objectives);
        const own = gradientOf(rebalance.objectives);
        const prototypes = rebalance.prototypes()!;
        const labels = [...data.label.dataSync()];
        const vectorsAt = (values: readonly number[]) => {
          tf.tidy(() => (bias as tf.Variable).assign(tf.tensor(Array.from(values), bias.shape)));
          return tf.tidy(() => {
            const features = net.vectors(net.features(data, training));
            return Object.fromEntries(modalities.map((m) => [m, features[m].arraySync()]));
          });
        };
        const start = [...bias.dataSync()];
        const { weights } = reference(vectorsAt(start), prototypes, labels, options);
        const h = 1e-2;
        for (let j = 0; j < start.length; j++) {
          const at = (delta: number) =>
            reference(
              vectorsAt(start.map((value, i) => (i === j ? value + delta : value))),
              prototypes,
              labels,
              options,
              weights,
            ).term;
          const slope = (at(h) - at(-h)) / (2 * h);
          expect(own[j]! - plain[j]!).toBeCloseTo(slope, 3);
        }
        expect(own).not.toEqual(plain);
        rebalance.dispose();
        tf.dispose([data, other]);
        net.dispose();
      });
    });

    it('moves prototypes by momentum, keeps those of classes that are absent, and goes on from a checkpoint', async () => {
      await expectConstantMemory(async () => {
        const net = network();
        const [first, second] = [batch(), batch(7)];
        const { label, ...inputs } = batch(20);
        label.dispose();
        const some = { ...inputs, label: tf.tensor1d([0, 0, 0, 2, 2, -1], 'int32') };
        const make = () => pmr(net, { momentum: 0.25 });
        const [one, moved, other] = [make(), make(), make()];
        await one.update([first]);
        const before = one.prototypes()!;
        await other.update([second]);
        const target = other.prototypes()!;
        const saved = JSON.parse(JSON.stringify(one.callback(() => []).snapshot?.())) as never;
        moved.callback(() => []).restore?.(saved);
        for (const each of [one, moved]) {
          await each.update([second]);
          each
            .prototypes()!
            .a.forEach((row, c) =>
              row.forEach((value, j) =>
                expect(value).toBeCloseTo(0.25 * before.a[c]![j]! + 0.75 * target.a[c]![j]!, 5),
              ),
            );
        }
        const last = one.prototypes()!;
        await one.update([some]);
        one.prototypes()!.b[1]!.forEach((value, j) => expect(value).toBeCloseTo(last.b[1]![j]!, 6));
        const none = pmr(net);
        await expect(none.update([some])).rejects.toThrow('Found none of class 1 among 5 labelled');
        expect(none.prototypes()).toBeUndefined();
        tf.dispose([first, second, some]);
        [one, moved, other].forEach((each) => each.dispose());
        net.dispose();
      });
    });

    it('trains in a trainer, with the prototypes’ scores in the logs', async () => {
      await expectConstantMemory(async () => {
        const net = network();
        const rebalance = pmr(net);
        const optimizer = tf.train.sgd(0.1);
        const trainer = new MultiObjectiveTrainer({
          objectives: (data: ReturnType<typeof batch>, mode) =>
            rebalance.objectives(data, data.label, mode),
          variables: net.trainableVariables,
          parts: net.parts,
          strategy: only('multimodal'),
          optimizer,
        });
        const data = batch();
        const { history } = await trainer.fit([data], {
          epochs: 2,
          callbacks: [rebalance.callback(() => [batch(7)])],
        });
        expect(history['a_prototype']!.every((p) => p > 0 && p < 1)).toBe(true);
        tf.dispose(data);
        rebalance.dispose();
        optimizer.dispose();
        net.dispose();
      });
    });

    it('refuses options out of range', () => {
      const net = network();
      expect(() => pmr(net, { momentum: 2 })).toThrow('`momentum` of `pmr`');
      expect(() => pmr(net, { alpha: -1 })).toThrow('`alpha` of `pmr`');
      net.dispose();
    });
  });
});
