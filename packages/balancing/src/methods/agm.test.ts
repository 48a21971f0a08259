import { shapleyFunctional } from '@multigrad/core/support';
import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { subsetsOf } from '../support/subsets.ts';
import { describeBalancing } from '../testing/conformance.ts';
import { passOf } from '../testing/pass.ts';
import { smallNetwork, smallSamples } from '../testing/training.ts';
import { agm, plugin } from './agm.ts';

describeBalancing({ plugin, fusion: 'gated' });

/** Shapley values by the average over all orders of the players: another formula than that of the method. */
function byOrders(
  players: readonly string[],
  value: (present: readonly string[]) => number[],
): number[][] {
  const orders = (left: readonly string[]): string[][] =>
    left.length === 0
      ? [[]]
      : left.flatMap((one) =>
          orders(left.filter((other) => other !== one)).map((rest) => [one, ...rest]),
        );
  const all = orders(players);
  return players.map((player) => {
    const gains = all.map((order) => {
      const before = order.slice(0, order.indexOf(player));
      const [without, withIt] = [value(before), value([...before, player])];
      return withIt.map((one, c) => one - without[c]!);
    });
    return gains[0]!.map((_, c) => gains.reduce((sum, gain) => sum + gain[c]!, 0) / all.length);
  });
}

describe('the weights of a Shapley value', () => {
  it.each([1, 2, 3, 4])('of %i players give what an average over orders gives', (n) => {
    const names = Array.from({ length: n }, (_, k) => String(k));
    const value = (present: readonly string[]): number[] => [
      [...present].sort().reduce((sum, name) => sum * 1.7 + Number(name) + 1, 0),
    ];
    const expected = byOrders(names, value);
    names.forEach((_, player) => {
      const { weights, divisor } = shapleyFunctional(n, player);
      const found = subsetsOf(names).reduce((sum, s, k) => sum + weights[k]! * value(s)[0]!, 0);
      expect(found / divisor).toBeCloseTo(expected[player]![0]!, 10);
    });
  });
});

describe('encoders that give the same features for every input', () => {
  // As very narrow ones may in inference mode, before moving statistics have followed.
  it('have the same score, and no gradient changes', async () => {
    await tf.setBackend('cpu');
    await expectConstantMemory(async () => {
      const network = smallNetwork(3, 'gated');
      for (const variable of Object.values(network.parts).flat()) {
        tf.tidy(() => variable.assign(tf.fill(variable.shape, 0.5)));
        if (variable.rank === 2) tf.tidy(() => variable.assign(tf.zerosLike(variable)));
      }
      const method = agm();
      const state = method.init({
        modalities: network.modalities,
        objectives: network.objectiveNames,
        classes: network.classes,
      });
      const batch = await smallSamples(1).batch(Int32Array.of(0, 1, 2, 3), { epoch: 0 });
      const { objectives, signals } = passOf(
        method,
        network,
        batch as typeof batch & { readonly label: tf.Tensor },
        state,
      );
      const scores = Object.fromEntries(
        Object.entries(signals!).map(([name, one]) => [name, one.dataSync()[0]!]),
      );
      expect(scores['b']).toBeCloseTo(scores['a']!, 6);
      expect(scores['c']).toBeCloseTo(scores['a']!, 6);
      const step = { step: 0, losses: {}, readings: {}, tensors: {}, signals: scores };
      let found = method.modulate!(step, state);
      found = method.modulate!({ ...step, step: 1 }, found.state);
      for (const part of Object.values(found.parts)) expect(part!.gradient).toBeCloseTo(1, 6);
      tf.dispose([objectives, signals!, batch] as unknown as tf.TensorContainer);
      network.dispose();
    });
  });
});

describe('the factors of agm', () => {
  it.each([
    { modalities: ['a', 'b'], alpha: 1 },
    { modalities: ['a', 'b'], alpha: 0.2 },
    { modalities: ['a', 'b', 'c'], alpha: 1 },
    { modalities: ['a', 'b', 'c'], alpha: 2 },
    { modalities: ['a', 'b', 'c', 'd'], alpha: 0.5 },
  ])('are those of the equations over ten steps: %j', ({ modalities, alpha }) => {
    const method = agm({ alpha });
    let state = method.init({ modalities, objectives: ['joint', ...modalities], classes: 3 });
    const m = modalities.length;
    const running = new Array<number>(m).fill(0);
    for (let step = 1; step <= 10; step += 1) {
      const scores = modalities.map((_, k) => 1.2 + Math.sin(7 * step + 3 * k) / (1 + k));
      // r_m and τ_m by the distance to the mean of all, as authors' code has them.
      const ratio = (values: readonly number[], k: number): number => {
        const mean = values.reduce((sum, one) => sum + one, 0) / m;
        return Math.exp((mean - values[k]!) * (m / (m - 1)));
      };
      const { parts, state: next } = method.modulate!(
        {
          step: step - 1,
          losses: {},
          readings: {},
          tensors: {},
          signals: Object.fromEntries(modalities.map((name, k) => [name, scores[k]!])),
        },
        JSON.parse(JSON.stringify(state)) as typeof state,
      );
      modalities.forEach((name, k) => {
        const expected = Math.exp(alpha * (ratio(running, k) - ratio(scores, k)));
        expect(parts[name]!.gradient! / expected).toBeCloseTo(1, 12);
      });
      scores.forEach((score, k) => {
        running[k] = (running[k]! * (step - 1)) / step + score / step;
      });
      state = next;
    }
  });

  it('stay finite where the running means are far apart', () => {
    const { parts } = agm({ limit: 10 }).modulate!(
      { step: 1, losses: {}, readings: {}, tensors: {}, signals: { a: 1, b: 1 } },
      { steps: 1, means: { a: 0, b: 18 } },
    );
    expect(parts['a']!.gradient).toBeCloseTo(Math.exp(10), 6);
  });
});

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it.each([
    { modalities: 2, fusion: 'concatenation' },
    { modalities: 2, fusion: 'gated' },
    { modalities: 3, fusion: 'concatenation' },
    { modalities: 3, fusion: 'gated' },
    { modalities: 3, fusion: 'summation' },
  ] as const)(
    'judges modalities by Shapley values of the joint logits: %j',
    async ({ modalities, fusion }) => {
      await expectConstantMemory(async () => {
        const network = smallNetwork(modalities, fusion);
        const batch = await smallSamples(3).batch(Int32Array.from([0, 4, 7, 11, 2]), { epoch: 0 });
        const labels = [...batch['label']!.dataSync()];
        const rows = new Map<string, number[][]>();
        const logitsOf = (present: readonly string[]): number[][] => {
          if (present.length === 0) return labels.map(() => [0, 0, 0]);
          const key = [...present].sort().join();
          const known =
            rows.get(key) ??
            tf.tidy(() => {
              const inputs = Object.fromEntries(
                network.modalities.map((name) => [
                  name,
                  present.includes(name) ? batch[name]! : tf.zerosLike(batch[name]!),
                ]),
              );
              return network.forward(inputs, { training: false })['joint']!.arraySync();
            });
          rows.set(key, known);
          return known;
        };
        const expected = new Map(network.modalities.map((name) => [name, 0]));
        const labelled = labels.flatMap((label, i) => (label < 0 ? [] : [i]));
        for (const i of labelled) {
          byOrders(network.modalities, (present) => logitsOf(present)[i]!).forEach((phi, m) => {
            const total = phi.reduce((sum, z) => sum + Math.exp(z), 0);
            const loss = -Math.log(Math.exp(phi[labels[i]!]!) / total);
            const name = network.modalities[m]!;
            expected.set(name, expected.get(name)! + loss / labelled.length);
          });
        }
        const { signals, objectives } = passOf(agm(), network, batch as never, {
          steps: 0,
          means: {},
        });
        for (const [name, value] of expected) {
          const found = signals![name]!.dataSync()[0]!;
          expect(Math.abs(found - value)).toBeLessThan(1e-6 * Math.max(1, value));
        }
        tf.dispose([signals, objectives, batch] as unknown as tf.TensorContainer);
        network.dispose();
      });
    },
  );
});
