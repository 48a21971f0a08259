import '@tensorflow/tfjs-backend-cpu';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

// The example of clients that train on their own data: rounds with clients that leave, stall and send nonsense, and what
// averaging brings. tests/browser/federated.test.ts has it in pages, over WebSocket.

interface Connection {
  send(text: string): void;
  close(code: number, reason: string): void;
}
interface Rounds {
  readonly ended: Promise<{ weights: Float32Array; rounds: number }>;
  leave(connection: Connection): void;
  receive(connection: Connection, text: string): void;
}
interface Network {
  train(data: object, options: { epochs: number; seed: number }): Promise<void>;
  measure(data: object): Record<'inside' | 'distance', number>;
  weights(): Float32Array;
  setWeights(values: Float32Array): void;
  dispose(): void;
}

const folder = join(import.meta.dirname, '../examples/federated');
const { averaged } = (await import(join(folder, 'server/average.js'))) as {
  averaged: (
    weights: Float32Array,
    updates: readonly { samples: number; delta: ArrayLike<number> }[],
  ) => Float32Array;
};
const { openRounds } = (await import(join(folder, 'server/rounds.js'))) as {
  openRounds: (options: {
    weights: Float32Array;
    clients: number;
    rounds: number;
    patience: number;
    say: (line: string) => void;
  }) => Rounds;
};
const { makeNetwork } = (await import(join(folder, 'page/network.js'))) as {
  makeNetwork: () => Network;
};
const { drawPoints } = (await import(join(folder, 'page/data.js'))) as {
  drawPoints: (options: {
    client?: number;
    clients?: number;
    count: number;
    seed: number;
  }) => tf.TensorContainerObject;
};
const { takePart } = (await import(join(folder, 'page/client.js'))) as {
  takePart: (
    socket: EventTarget,
    part: { network: Network; data: object; samples: number; epochs: number },
  ) => Promise<{ rounds: number }>;
};

it('the average weighs each change by its samples', () => {
  const updates = [
    { samples: 1, delta: [4, 0] },
    { samples: 3, delta: [-4, 8] },
  ];
  expect([...averaged(Float32Array.of(1, 2), updates)]).toEqual([1 - 2, 2 + 6]);
  expect([...averaged(Float32Array.of(1, 2), [])]).toEqual([1, 2]);
});

describe('rounds', () => {
  const said: string[] = [];
  let rounds: Rounds;

  /** A client by hand. */
  function client() {
    const heard: { type: string; round?: number; weights: number[] }[] = [];
    const closed: string[] = [];
    const connection: Connection = {
      send: (text) => heard.push(JSON.parse(text) as (typeof heard)[number]),
      close: (_, reason) => closed.push(reason),
    };
    const say = (message: unknown): void => rounds.receive(connection, JSON.stringify(message));
    say({ type: 'join' });
    return {
      heard,
      closed,
      say,
      raw: (text: string) => rounds.receive(connection, text),
      update: (round: number, delta: unknown, samples: unknown = 1) =>
        say({ type: 'update', round, samples, delta }),
      leave: () => rounds.leave(connection),
    };
  }

  beforeEach(() => {
    vi.useFakeTimers();
    said.length = 0;
    rounds = openRounds({
      ...{ weights: Float32Array.of(0), clients: 3, rounds: 2, patience: 30 },
      say: (line) => said.push(line),
    });
  });

  afterEach(() => {
    // No round is left that could still run out of time.
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('begin with enough clients, and end with the weights of the last one', async () => {
    const [a, b] = [client(), client()];
    expect(a.heard).toEqual([]);
    const c = client();
    expect(c.heard).toEqual([{ type: 'round', round: 1, weights: [0] }]);
    c.update(1, [3], 2);
    a.update(1, [0]);
    b.update(1, [6]);
    expect(a.heard.at(-1)).toEqual({ type: 'round', round: 2, weights: [3] });
    for (const one of [a, b, c]) one.update(2, [1]);
    expect(b.heard.at(-1)).toEqual({ type: 'done', rounds: 2, weights: [4] });
    await expect(rounds.ended).resolves.toEqual({ weights: Float32Array.of(4), rounds: 2 });
    // Who comes too late gets the result.
    expect(client().heard).toEqual([{ type: 'done', rounds: 2, weights: [4] }]);
  });

  it('go on without a client that leaves in the middle', async () => {
    const [a, b, c] = [client(), client(), client()];
    a.update(1, [1]);
    b.update(1, [3]);
    expect(a.heard).toHaveLength(1);
    c.leave();
    expect(a.heard.at(-1)).toEqual({ type: 'round', round: 2, weights: [2] });
    expect(said.slice(-2)).toEqual(['Client 3 has left.', 'Round 1 of 2: 2 clients, 2 samples.']);
    a.leave();
    b.leave();
    await expect(rounds.ended).resolves.toEqual({ weights: Float32Array.of(2), rounds: 2 });
    expect(said).toContain('All clients have left.');
  });

  it('end without a client that gives no answer in time, and take it again once it has', async () => {
    const [a, b, c] = [client(), client(), client()];
    a.update(1, [1]);
    b.update(1, [1]);
    vi.advanceTimersByTime(29_999);
    expect(a.heard).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(said).toContain('Round 1: client 3 gave no answer in 30 s.');
    expect(a.heard.at(-1)).toEqual({ type: 'round', round: 2, weights: [1] });
    // It is not asked meanwhile, and its old answer does not count.
    expect(c.heard).toHaveLength(1);
    c.update(1, [100]);
    expect(said.at(-1)).toBe('Client 3 answers late, and takes part in the next round.');
    a.update(2, [1]);
    b.update(2, [1]);
    await expect(rounds.ended).resolves.toEqual({ weights: Float32Array.of(2), rounds: 2 });
    expect(c.heard.at(-1)).toMatchObject({ type: 'done' });
  });

  it('ask all clients again where none has answered in time', async () => {
    const [a, b, c] = [client(), client(), client()];
    vi.advanceTimersByTime(30_000);
    expect([a, b, c].map(({ heard }) => heard.at(-1)!.round)).toEqual([2, 2, 2]);
    vi.advanceTimersByTime(30_000);
    await expect(rounds.ended).resolves.toEqual({ weights: Float32Array.of(0), rounds: 2 });
  });

  it.each([
    ['no JSON', (one: ReturnType<typeof client>) => one.raw('{'), /join once/],
    ['null', (one: ReturnType<typeof client>) => one.say(null), /join once/],
    ['a second greeting', (one: ReturnType<typeof client>) => one.say({ type: 'join' }), /join/],
    ['too few numbers', (one: ReturnType<typeof client>) => one.update(1, []), /1 finite numbers/],
    ['no numbers', (one: ReturnType<typeof client>) => one.update(1, [null]), /finite numbers/],
    ['no samples', (one: ReturnType<typeof client>) => one.update(1, [1], 0), /samples/],
  ])('refuse a client that sends %s, and go on without it', (_, nonsense, reason) => {
    const [a, b, c] = [client(), client(), client()];
    nonsense(c);
    expect(c.closed).toEqual([expect.stringMatching(reason)]);
    a.update(1, [1]);
    b.update(1, [1]);
    expect(a.heard.at(-1)).toEqual({ type: 'round', round: 2, weights: [1] });
    for (const one of [a, b]) one.leave();
  });

  it('a client that another round overtakes goes on with the newest', async () => {
    const messages: string[] = [];
    const seen: number[] = [];
    const socket = Object.assign(new EventTarget(), {
      send: (text: string) => messages.push(text),
    });
    let goOn: () => void = () => undefined;
    let twice: () => void = () => undefined;
    const trainsTwice = new Promise<void>((resolve) => (twice = resolve));
    const network = {
      train: async (_: object, { seed }: { seed: number }) => {
        seen.push(seed);
        if (seen.length === 2) twice();
        await new Promise<void>((resolve) => (goOn = resolve));
      },
      weights: () => Float32Array.of(5),
      setWeights: () => undefined,
    } as unknown as Network;
    const part = takePart(socket, { network, data: {}, samples: 7, epochs: 1 });
    const tell = (message: object): boolean =>
      socket.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
    for (const round of [1, 2, 3]) tell({ type: 'round', round, weights: [round] });
    goOn();
    await trainsTwice;
    tell({ type: 'done', rounds: 3, weights: [9] });
    goOn();
    await expect(part).resolves.toEqual({ rounds: 3 });
    expect(seen).toEqual([1, 3]);
    expect(messages.map((text) => JSON.parse(text) as unknown)).toEqual([
      { type: 'update', round: 1, samples: 7, delta: [4] },
      { type: 'update', round: 3, samples: 7, delta: [2] },
    ]);
  });
});

it('the averaged network is better on points of the whole plane than any client alone', async () => {
  await tf.setBackend('cpu');
  await expectConstantMemory(async () => {
    const [count, epochs, clients] = [2, 4, 3];
    const heldOut = drawPoints({ count: 500, seed: 500 });
    const before = makeNetwork();
    const first = before.measure(heldOut);
    const rounds = openRounds({
      ...{ weights: before.weights(), clients, rounds: count, patience: 600 },
      say: () => undefined,
    });
    before.dispose();
    const parts = Array.from({ length: clients }, async (_, client) => {
      const samples = 128 * (1 + client);
      const data = drawPoints({ client, clients, count: samples, seed: 10 + client });
      const [network, alone] = [makeNetwork(), makeNetwork()];
      const socket = new EventTarget();
      const connection: Connection = {
        send: (data) => socket.dispatchEvent(new MessageEvent('message', { data })),
        close: () => undefined,
      };
      Object.assign(socket, { send: (text: string) => rounds.receive(connection, text) });
      const part = takePart(socket, { network, data, samples, epochs });
      socket.dispatchEvent(new Event('open'));
      await part;
      for (let round = 1; round <= count; round += 1) {
        await alone.train(data, { epochs, seed: round });
      }
      const found = { averaged: network.measure(heldOut), alone: alone.measure(heldOut) };
      network.dispose();
      alone.dispose();
      tf.dispose(data);
      return found;
    });
    for (const { averaged: together, alone } of await Promise.all(parts)) {
      for (const objective of ['inside', 'distance'] as const) {
        expect(together[objective]).toBeLessThan(0.95 * alone[objective]);
        expect(together[objective]).toBeLessThan(0.7 * first[objective]);
      }
    }
    tf.dispose(heldOut);
  });
}, 300_000);
