import { MultiObjectiveTrainer } from '@multigrad/core';
import { sum } from '@multigrad/strategy-sum';
import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { balanced } from '../driver/balanced.ts';
import { describeBalancing } from '../testing/conformance.ts';
import { smallNetwork, smallSamples } from '../testing/training.ts';
import { ogmGe, type OgmGeOptions, plugin } from './ogm-ge.ts';

describeBalancing({ plugin, options: { alpha: '0.8' }, refused: ['gated', 'summation'] });

type Gradients = Readonly<Record<string, readonly number[]>>;

/** What the optimizer is given at one step, by the network's own names, and the scores of the modalities. */
async function handedOn(
  options: OgmGeOptions,
): Promise<{ readonly gradients: Gradients; readonly scores: readonly number[] }> {
  const network = smallNetwork(3);
  const batch = await smallSamples(3).batch(Int32Array.from([0, 1, 2, 11, 4]), { epoch: 0 });
  const balance = balanced(ogmGe(options), network);
  const gradients: Record<string, readonly number[]> = {};
  const trainer = new MultiObjectiveTrainer<tf.NamedTensorMap, string>({
    ...balance.options,
    variables: network.trainableVariables,
    parts: network.parts,
    strategy: sum(),
    optimizer: (given) => {
      for (const [name, variable] of network.namedVariables) {
        gradients[name] = [...given[variable.name]!.dataSync()];
      }
    },
  });
  const { metrics } = await trainer.trainOnBatch(batch);
  const scores = network.modalities.map((m) => metrics['joint']![`ogm-ge/${m}`]!);
  trainer.dispose();
  balance.dispose();
  network.dispose();
  tf.dispose(batch);
  return { gradients, scores };
}

/** The scores in float64, from features and the joint head read back: softmax(W_m z_m + b/3) at the labels. */
async function expectedScores(): Promise<number[]> {
  const network = smallNetwork(3);
  const batch = await smallSamples(3).batch(Int32Array.from([0, 1, 2, 11, 4]), { epoch: 0 });
  const labels = [...batch['label']!.dataSync()];
  const features = tf.tidy(() => {
    const z = network.vectors(network.features(batch, { training: true }));
    return network.modalities.map((m) => z[m]!.arraySync());
  });
  const kernel = network.namedVariables.get('head/joint/kernel')!.arraySync() as number[][];
  const bias = [...network.namedVariables.get('head/joint/bias')!.dataSync()];
  network.dispose();
  tf.dispose(batch);
  let from = 0;
  return features.map((rows) => {
    const own = kernel.slice(from, from + rows[0]!.length);
    from += own.length;
    const known = labels.flatMap((label, i) => (label < 0 ? [] : [i]));
    const chances = known.map((i) => {
      const powers = bias.map((b, c) =>
        Math.exp(own.reduce((total, row, j) => total + row[c]! * rows[i]![j]!, b / 3)),
      );
      return powers[labels[i]!]! / powers.reduce((total, one) => total + one);
    });
    return chances.reduce((total, one) => total + one) / known.length;
  });
}

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it('slows encoders that say more of the true classes than the others, by 1 − tanh(α ρ)', async () => {
    await expectConstantMemory(async () => {
      const slowed = await handedOn({ alpha: 0.7, noise: false });
      const whole = await handedOn({ alpha: 0, noise: false });
      const scores = await expectedScores();
      const total = scores.reduce((all, score) => all + score);
      const factors = scores.map((score) => {
        const ratio = score / ((total - score) / 2);
        return ratio > 1 ? 1 - Math.tanh(0.7 * ratio) : 1;
      });
      expect(new Set(factors.map((factor) => factor === 1))).toEqual(new Set([true, false]));
      scores.forEach((score, k) => expect(slowed.scores[k]).toBeCloseTo(score, 6));
      for (const [name, values] of Object.entries(whole.gradients)) {
        const k = ['a', 'b', 'c'].findIndex((modality) => name.startsWith(`${modality}/`));
        // Heads keep their gradient.
        const factor = k < 0 ? 1 : factors[k]!;
        values.forEach((value, i) =>
          expect(Math.abs(slowed.gradients[name]![i]! - factor * value)).toBeLessThan(1e-6),
        );
      }
    });
  });

  it("adds noise of each gradient's own deviation to encoders alone, the same for the same seed", async () => {
    await expectConstantMemory(async () => {
      const make = async (options: OgmGeOptions): Promise<Gradients> =>
        (await handedOn({ alpha: 0, ...options })).gradients;
      const plain = await make({ noise: false });
      const noisy = await make({ seed: 1 });
      expect(await make({ seed: 1 })).toEqual(noisy);
      expect(await make({ seed: 2 })).not.toEqual(noisy);
      const drawn = Object.entries(plain).flatMap(([name, values]) => {
        if (name.startsWith('head/')) {
          expect(noisy[name]).toEqual(values);
          return [];
        }
        const mean = values.reduce((total, v) => total + v, 0) / values.length;
        const deviation = Math.sqrt(
          values.reduce((total, v) => total + (v - mean) ** 2, 0) / values.length,
        );
        return deviation === 0
          ? []
          : values.map((value, i) => (noisy[name]![i]! - value) / deviation);
      });
      // Standard normal numbers: five standard errors of their mean and of their mean square.
      const n = drawn.length;
      expect(n).toBeGreaterThan(40);
      const mean = drawn.reduce((total, r) => total + r, 0) / n;
      const square = drawn.reduce((total, r) => total + r * r, 0) / n;
      expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(n));
      expect(Math.abs(square - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    });
  });
});
