import '@tensorflow/tfjs-layers';
import process from 'node:process';
import type * as workerThreads from 'node:worker_threads';
import { MultigradError } from '@multigrad/core/strategy';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { normal } from '../../testing/seeded-tensors.ts';
import { type BackendOptions, type BackendReport, useBackend } from '../../index.ts';
import { KernelHeap } from '../kernel-heap.ts';
import type { points } from './layout.ts';
import { patience, type ThreadTeam } from './thread-team.ts';

type Point = keyof typeof points;
type Workers = typeof workerThreads;

const usual = { ...patience };
const workers: workerThreads.Worker[] = [];
const lost: string[] = [];

beforeEach(() => {
  // A slow thread is not lost before a test says so.
  Object.assign(patience, { slice: 5, silence: 1e9 });
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const Watched = class extends Worker {
    constructor(...given: ConstructorParameters<Workers['Worker']>) {
      super(...given);
      workers.push(this);
    }
  };
  replaceWorkers({ Worker: Watched });
});

afterEach(() => {
  vi.restoreAllMocks();
  Object.assign(patience, usual);
  workers.length = 0;
  lost.length = 0;
});

afterAll(() => {
  tf.removeBackend('wasm');
});

/** Lets the backend start its threads by another module. */
function replaceWorkers(module: object): void {
  vi.spyOn(process, 'getBuiltinModule').mockRestore();
  const find = process.getBuiltinModule.bind(process) as (id: string) => object | undefined;
  vi.spyOn(process, 'getBuiltinModule').mockImplementation(((id: string) =>
    id === 'node:worker_threads' ? module : find(id)) as typeof process.getBuiltinModule);
}

/** A new wasm backend. */
async function restart(threads: number, options: BackendOptions = {}): Promise<BackendReport> {
  const factory = tf.findBackendFactory('wasm') as (() => tf.KernelBackend) | null;
  if (factory !== null) {
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory, 2);
  }
  return useBackend('wasm', { threads, onThreadLost: (reason) => lost.push(reason), ...options });
}

function team(): ThreadTeam {
  return KernelHeap.of(tf.backend()).team!;
}

/** Lets the first worker sleep at a point; `asleep` is called, with work in the worker's hands, while the caller waits. */
function hold(point: Point, passes: number, asleep: () => void): void {
  const own = team();
  const wait = own.wait.bind(own);
  vi.spyOn(own, 'wait').mockImplementation((done) => {
    if (own.sleeps(1)) asleep();
    wait(done);
  });
  own.order(1, 'hold', point, passes);
}

/** The caller's patience ends soon. */
const losePatience = (): void => void (patience.silence = 20);

const silent = 'thread 1 gave no sign of life for 0.02 s with work in its hands';

/** A convolution of several pieces, padded, and its gradients; the same numbers at each call. */
function results(): Float32Array[] {
  return tf.tidy(() => {
    const image = normal([12, 14, 14, 3], 1);
    const filter = normal([5, 5, 3, 12], 2);
    const network = (x: tf.Tensor, f: tf.Tensor): tf.Tensor =>
      tf.tanh(tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, 'same'));
    const gradients = tf.grads(network)([image, filter]);
    return [network(image, filter), ...gradients].map((tensor) =>
      tensor.dataSync<'float32'>().slice(),
    );
  });
}

async function expected(): Promise<Float32Array[]> {
  await restart(1);
  return results();
}

/** Whether all of them see the end of the worker. */
function ended(): Promise<unknown> {
  return Promise.all(workers.map((worker) => new Promise((resolve) => worker.on('exit', resolve))));
}

const pointsOfWork: readonly Point[] = ['after a claim', 'in a piece', 'after a piece'];

describe('a thread that dies', () => {
  it.each(pointsOfWork)('%s costs nothing but speed, and is reported once', async (point) => {
    const right = await expected();
    await restart(2);
    team().order(1, 'trap', point);
    // Until it has taken a piece.
    for (let calls = 0; lost.length === 0 && calls < 1000; calls += 1)
      expect(results()).toEqual(right);
    expect(lost).toEqual(['thread 1 died: RuntimeError: unreachable']);
    expect(results()).toEqual(right);
    const { wasm } = await useBackend('wasm', { threads: 2 });
    expect(wasm).toMatchObject({
      threads: 1,
      threadsReason: 'asked for; 1 of 2 are missing: thread 1 died: RuntimeError: unreachable',
    });
    expect(lost).toHaveLength(1);
  });

  it('leaves the others at work', async () => {
    const right = await expected();
    expect((await restart(4)).wasm?.threads).toBe(4);
    team().order(2, 'trap', 'in a piece');
    for (let calls = 0; lost.length === 0 && calls < 1000; calls += 1)
      expect(results()).toEqual(right);
    expect((await useBackend('wasm', { threads: 4 })).wasm?.threads).toBe(3);
    expect(results()).toEqual(right);
  });

  it('is missed too when it held no piece', async () => {
    const right = await expected();
    await restart(2);
    const end = ended();
    await workers[0]!.terminate();
    await end;
    expect(lost).toEqual(['thread 1 was ended from outside']);
    expect(results()).toEqual(right);
  });

  it('with a piece in its hands, ended from outside while the caller waits', async () => {
    const right = await expected();
    await restart(2);
    hold('in a piece', 3, () => {
      if (patience.silence > 20) void workers[0]!.terminate();
      losePatience();
    });
    for (let calls = 0; lost.length === 0 && calls < 1000; calls += 1)
      expect(results()).toEqual(right);
    expect(lost).toEqual([silent]);
    await ended();
    expect(results()).toEqual(right);
  });
});

describe('a thread that stops', () => {
  it.each(pointsOfWork)(
    '%s is given up, and writes to nobody else’s memory later',
    async (point) => {
      const right = await expected();
      await restart(2);
      hold(point, point === 'in a piece' ? 2 : 0, losePatience);
      const end = ended();
      for (let calls = 0; lost.length === 0 && calls < 1000; calls += 1)
        expect(results()).toEqual(right);
      expect(lost).toEqual([silent]);
      // They would get the memory that the thread writes to when it wakes up, if that had been freed.
      const fills = Array.from({ length: 40 }, (_, i) => tf.fill([12 * 14 * 14 * 3 + i], i));
      team().wake(1);
      await end;
      for (const [i, fill] of fills.entries())
        expect(fill.dataSync().every((value) => value === i)).toBe(true);
      tf.dispose(fills);
      expect(results()).toEqual(right);
    },
  );

  it('frees the memory of the work it held once it is gone', async () => {
    await restart(2);
    // The first call of an export puts another function in its place.
    results();
    const { wasm } = tf.backend() as unknown as { wasm: { _free: (address: number) => void } };
    const free = vi.spyOn(wasm, '_free');
    hold('in a piece', 2, losePatience);
    const end = ended();
    await expectConstantMemory(() => {
      for (let calls = 0; lost.length === 0 && calls < 1000; calls += 1) results();
    });
    expect(lost).toEqual([silent]);
    free.mockClear();
    team().wake(1);
    await end;
    // The kernel's output and the scratch area.
    expect(free).toHaveBeenCalledTimes(2);
  });

  it('for a shorter time than the caller waits is waited for', async () => {
    const right = await expected();
    await restart(2);
    let sleeps = 0;
    hold('in a piece', 0, () => {
      sleeps += 1;
      team().wake(1);
    });
    for (let calls = 0; sleeps < 20 && calls < 1000; calls += 1) {
      expect(results()).toEqual(right);
      team().order(1, 'hold', pointsOfWork[calls % 3]!);
    }
    expect(sleeps).toBeGreaterThanOrEqual(20);
    expect(lost).toEqual([]);
  });
});

describe('a thread that never starts', () => {
  it('because workers are refused costs nothing but speed', async () => {
    const right = await expected();
    replaceWorkers({
      Worker: function (): void {
        throw new Error('no workers here');
      },
    });
    const { wasm } = await restart(3);
    expect(wasm?.threads).toBe(1);
    expect(wasm?.threadsReason).toBe(
      'asked for; 2 of 3 are missing: thread 1 did not start: no workers here; ' +
        'thread 2 did not start: no workers here',
    );
    expect(lost).toEqual([1, 2].map((thread) => `thread ${thread} did not start: no workers here`));
    expect(results()).toEqual(right);
  });

  it('because it hangs is not counted, and may come later', async () => {
    const right = await expected();
    Object.assign(patience, { answer: 20 });
    const nothing = (): void => undefined;
    replaceWorkers({
      Worker: function (): object {
        return { on: nothing, unref: nothing, terminate: nothing };
      },
    });
    const { wasm } = await restart(2);
    expect(wasm).toMatchObject({
      threads: 1,
      threadsReason: 'asked for; 1 of 2 are missing: 1 did not answer in time',
    });
    expect(results()).toEqual(right);
  });
});

describe('a piece that is at fault', () => {
  it('is a named error, and the backend goes on', async () => {
    const right = await expected();
    await restart(2);
    const { dataIdMap } = tf.backend() as unknown as {
      dataIdMap: { get(id: object): { memoryOffset: number } };
    };
    const x = normal([12, 14, 14, 3], 1) as tf.Tensor4D;
    const filter = normal([5, 5, 3, 12], 2) as tf.Tensor4D;
    const record = dataIdMap.get(x.dataId);
    const address = record.memoryOffset;
    // At the end of the address space: no memory is that large.
    record.memoryOffset = -4096;
    const before = tf.memory();
    let error: unknown;
    try {
      tf.conv2d(x, filter, 1, 'same');
    } catch (thrown) {
      error = thrown;
    }
    expect(MultigradError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({
      code: 'kernel-failed',
      message: expect.stringMatching(
        /^Kernel Conv2D of multigrad failed on the wasm backend: memory access out of bounds/,
      ) as string,
    });
    expect(tf.memory().numBytes).toBe(before.numBytes);
    record.memoryOffset = address;
    tf.dispose([x, filter]);
    expect(results()).toEqual(right);
  });
});
