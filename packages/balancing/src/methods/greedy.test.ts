import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BalancingStep } from '../contract/method.ts';
import { balanced } from '../driver/balanced.ts';
import { describeBalancing } from '../testing/conformance.ts';
import { smallNetwork, smallSamples, trainSmall } from '../testing/training.ts';
import { greedy, type GreedyState, plugin } from './greedy.ts';

const exchange = { kind: 'mmtm', after: ['dense1'] } as const;

describeBalancing({
  plugin,
  options: { window: '2', warmUp: '0' },
  exchange,
  refused: ['concatenation', 'gated'],
});

const description = { modalities: ['a', 'b'], objectives: ['joint', 'a', 'b'], classes: 2 };

/** A step of a network with one gate on each of two modalities, all weights of squared norm 1. */
function step(norms: Readonly<Record<string, number>>, gates = { a: 1, b: 1 }): BalancingStep {
  const lists = ['encoder of a', 'gates of a', 'encoder of b', 'gates of b', 'squeezes'];
  return {
    ...{ step: 0, losses: {}, signals: {}, tensors: {} },
    readings: {
      'exchange1/a/gate': Float64Array.of(gates.a),
      'exchange1/b/gate': Float64Array.of(gates.b),
      'squared weights': Float64Array.of(1, 1, 1, 1, 1),
    },
    squaredNorms: Object.fromEntries(lists.map((list) => [list, norms[list] ?? 0])),
  };
}

const even = {
  'encoder of a': 1,
  'encoder of b': 1,
  'gates of a': 1,
  'gates of b': 1,
  squeezes: 0,
};

describe('greedy', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  const begin = (method: ReturnType<typeof greedy>): GreedyState => ({
    ...method.init(description),
    warm: true,
  });

  it('holds the gates of the modality that its gates learn for exactly `window` steps', () => {
    const method = greedy({ window: 3, threshold: 0.5 });
    let state = begin(method);
    const held = Array.from({ length: 10 }, () => {
      ({ state } = method.modulate!(step({ ...even, 'gates of b': 10 }), state));
      return state.held;
    });
    // A regular step, three with gates of b held, and again.
    expect(held).toEqual(['b', 'b', 'b', null, 'b', 'b', 'b', null, 'b', 'b']);
  });

  it('counts regular steps alone', () => {
    const method = greedy({ window: 2, threshold: 0.5 });
    const first = method.modulate!(step({ ...even, 'gates of a': 99 }), begin(method)).state;
    expect(first.held).toBe('a');
    const second = method.modulate!(step({ ...even, 'gates of b': 1e9 }), first).state;
    expect(second.paces).toEqual(first.paces);
    const third = method.modulate!(step({ ...even, 'gates of b': 1e9 }), second).state;
    const fourth = method.modulate!(step(even), third).state;
    // Half of each gate's pace is that of weights 1 + 1: the squeeze belongs to both.
    expect(fourth.paces).toEqual({
      a: { encoder: 2, gates: 99 / 2 + 1 / 2 },
      b: { encoder: 2, gates: 1 / 2 + 1 / 2 },
    });
  });

  it('holds no gate where no speed leads by more than the threshold', () => {
    const paced = { ...even, 'gates of a': 10 };
    const below = greedy({ threshold: 1.01 });
    expect(below.modulate!(step(paced), begin(below)).state.held).toBeNull();
    const above = greedy({ threshold: 0.99 });
    expect(above.modulate!(step(paced), begin(above)).state.held).toBe('a');
  });

  it('compares with the mean of the others where there are more than two', () => {
    const method = greedy({ threshold: 0.7 });
    const three = {
      ...method.init({ ...description, modalities: ['a', 'b', 'c'] }),
      warm: true,
    };
    const lists = { 'gates of a': 100, 'gates of b': 10, 'gates of c': 1 };
    const all = ['a', 'b', 'c'].flatMap((m) => [`encoder of ${m}`, `gates of ${m}`]);
    const measured: BalancingStep = {
      ...step({}),
      readings: { 'squared weights': new Float64Array(7).fill(1) },
      squaredNorms: Object.fromEntries(
        [...all, 'squeezes'].map((name) => [
          name,
          name === 'squeezes' ? 0 : ((lists as Record<string, number>)[name] ?? 1),
        ]),
      ),
    };
    // Speeds 2, 1 and 0, less log 2 each: a leads the mean of the others by 1.5.
    expect(method.modulate!(measured, three).state.held).toBe('a');
    const higher = greedy({ threshold: 1.6 });
    expect(higher.modulate!(measured, three).state.held).toBeNull();
  });

  it('keeps numbers finite where nothing was learned', () => {
    const method = greedy();
    const { state } = method.modulate!(step({}), begin(method));
    expect(state.held).toBeNull();
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  it('waits for the epochs of the warm-up', async () => {
    const network = smallNetwork(2, 'concatenation', undefined, exchange);
    const method = greedy({ warmUp: 2 });
    const state = method.init(description);
    for (const epoch of [0, 1, 2, 3]) {
      const begun = (await method.beforeEpoch!({ epoch, network }, state)) as GreedyState;
      expect(begun.warm).toBe(epoch >= 2);
    }
    network.dispose();
  });

  it('changes nothing until a gate is held', async () => {
    const plain = await trainSmall({ method: null, exchange });
    const waiting = await trainSmall({ method: greedy({ threshold: 99, warmUp: 0 }), exchange });
    expect(waiting.weights).toEqual(plain.weights);
  });

  it('logs the share of steps in which gates of a modality are held', async () => {
    const { logs } = await trainSmall({
      method: greedy({ threshold: 0, window: 1, warmUp: 0 }),
      exchange,
      epochs: 4,
    });
    const [a, b] = ['joint_greedy/a', 'joint_greedy/b'].map((name) => logs[name]!);
    const shares = a!.map((share, epoch) => share + b![epoch]!);
    for (const share of shares)
      expect([1 / 3, 2 / 3].some((one) => Math.abs(one - share) < 0.1)).toBe(true);
  });

  it('gives the same value of held gates to every sample, their mean over steps', async () => {
    await expectConstantMemory(async () => {
      const network = smallNetwork(2, 'concatenation', undefined, exchange);
      const method = greedy();
      const means = { 'exchange1/a/gate': [0.5, 0.6, 0.7, 0.8, 0.9] };
      const batch = await smallSamples(1).batch(Int32Array.of(0, 1, 2), { epoch: 0 });
      tf.tidy(() => {
        const inputs = { a: batch['a']!, b: batch['b']! };
        const mode = { training: true, step: 3 };
        const used: Record<string, tf.Tensor> = {};
        const { gates } = network.gatedFeatures(inputs, mode, (_, values) => values);
        const spied = {
          modalities: network.modalities,
          gates: network.gates,
          heads: network.heads,
          parts: network.parts,
          trainableVariables: network.trainableVariables,
          gatedFeatures: (
            given: typeof inputs,
            how: typeof mode,
            change: (gate: string, values: tf.Tensor2D) => tf.Tensor2D,
          ) =>
            network.gatedFeatures(given, how, (gate, values) => {
              const changed = change(gate, values);
              used[gate] = tf.keep(tf.clone(changed));
              return changed;
            }),
        };
        const pass = {
          ...{ network: spied, inputs, mode, objectivesFrom: () => ({}) },
        } as unknown as Parameters<NonNullable<typeof method.objectives>>[0];
        const state = { ...method.init(description), means, steps: 3, held: 'a', left: 1 };
        const { readings } = method.objectives!(pass, state);
        const own = tf.mean(gates['exchange1/a/gate']!, 0).dataSync();
        const expected = means['exchange1/a/gate'].map((mean, c) => (3 * mean + own[c]!) / 4);
        const rows = (used['exchange1/a/gate']! as tf.Tensor2D).arraySync();
        for (const row of rows) row.forEach((v, c) => expect(v).toBeCloseTo(expected[c]!, 6));
        expect([...readings!['exchange1/a/gate']!.dataSync()]).toEqual(rows[0]);
        expect([...used['exchange1/b/gate']!.dataSync()]).toEqual([
          ...gates['exchange1/b/gate']!.dataSync(),
        ]);
        tf.dispose(used);
      });
      tf.dispose(batch);
      network.dispose();
    });
  });

  it('says which encoders have no gate', () => {
    const network = smallNetwork();
    expect(() => balanced(greedy(), network)).toThrow(
      '`greedy` cannot balance this training: it holds the gates between encoders, which needs a network with gates, such as one ' +
        'with the exchange `mmtm`. Found no gate on a, b.',
    );
    network.dispose();
  });
});
