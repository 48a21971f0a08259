import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  allGather,
  allReduce,
  allToAll,
  barrier,
  broadcast,
  reduceScatter,
} from './collectives.ts';
import { headBytes } from './frames.ts';
import { helloOf, openMeeting } from './meeting.ts';
import { Mesh, type MeshEvents } from './mesh.ts';
import type { Place } from './place.ts';

const times = { silence: 60, patience: 60, start: 60 };
const quiet: MeshEvents = {
  abort: () => undefined,
  note: () => undefined,
  orphaned: () => undefined,
};
const token = 'secret';

/** Runs a function for each rank of a group, each with connections of its own to the others. */
async function group<T>(
  size: number,
  body: (mesh: Mesh) => Promise<T>,
  disturb: (meeting: { host: string; port: number }) => void = () => undefined,
): Promise<PromiseSettledResult<T>[]> {
  const meeting = await openMeeting({
    size,
    token,
    address: { host: '127.0.0.1', port: 0 },
    deadline: 60,
  });
  disturb(meeting.address);
  const results = await Promise.allSettled(
    Array.from({ length: size }, async (_, rank) => {
      const place: Place = { rank, size, meeting: meeting.address, opener: 'launcher', token };
      const mesh = await Mesh.join(place, times, quiet);
      try {
        return await body(mesh);
      } finally {
        await mesh.close();
      }
    }),
  );
  meeting.close();
  return results;
}

async function values<T>(...given: Parameters<typeof group<T>>): Promise<T[]> {
  return (await group(...given)).map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function messages(...given: Parameters<typeof group>): Promise<string[]> {
  return (await group(...given)).map((result) =>
    result.status === 'rejected' ? (result.reason as Error).message : 'no error',
  );
}

describe('collective calls', () => {
  it.each([1, 2, 3, 5])('answer as the interface says, of %d ranks', async (size) => {
    const counts = Array.from({ length: size }, (_, rank) => rank);
    const total = (size * (size - 1)) / 2;
    const results = await values(size, async (mesh) => {
      const { rank } = mesh;
      await barrier(mesh, '');
      return {
        sums: await allReduce(mesh, Float32Array.of(rank, 1), 'sum', ''),
        largest: await allReduce(mesh, Float64Array.of(rank, 1 - rank), 'max', ''),
        part: await reduceScatter(
          mesh,
          Float32Array.from({ length: total }, (_, i) => i),
          counts,
          '',
        ),
        whole: await allGather(mesh, new Uint8Array(rank).fill(rank), counts, ''),
        apart: await allToAll(
          mesh,
          Uint8Array.from({ length: total }, (_, i) => 10 * rank + i),
          counts,
          '',
        ),
        given: await broadcast(mesh, Float64Array.of(rank + 0.1), size - 1, ''),
      };
    });
    results.forEach(({ sums, largest, part, whole, apart, given }, rank) => {
      expect(sums).toEqual(Float32Array.of(total, size));
      expect(largest).toEqual(Float64Array.of(size - 1, 1));
      const first = (rank * (rank - 1)) / 2;
      expect(part).toEqual(Float32Array.from({ length: rank }, (_, i) => size * (first + i)));
      expect(apart).toEqual(
        Uint8Array.from(
          Array.from({ length: size }, (_, from) =>
            Array.from({ length: rank }, (__, i) => 10 * from + first + i),
          ).flat(),
        ),
      );
      expect(whole).toEqual(
        Uint8Array.from(counts.flatMap((one) => new Array<number>(one).fill(one))),
      );
      expect(given).toEqual(Float64Array.of(size - 1 + 0.1));
    });
  });

  it.each([10, 50_001])(
    'add up %d numbers in the order of the ranks: the same bits everywhere',
    async (length) => {
      const of = (rank: number): Float32Array =>
        Float32Array.from({ length }, (_, i) => Math.sin(i * 7 + rank) * 10 ** (rank * 3));
      const expected = of(0);
      for (const rank of [1, 2])
        of(rank).forEach((value, i) => (expected[i] = expected[i]! + value));
      for (const sums of await values(3, async (mesh) =>
        allReduce(mesh, of(mesh.rank), 'sum', ''),
      )) {
        expect(sums).toEqual(expected);
      }
    },
  );

  it('go on where ranks are at different calls for a while', async () => {
    const sums = await values(3, async (mesh) => {
      let sum = 0;
      for (let i = 0; i < 50; i += 1) {
        // A root returns once all have come; the others return at once.
        const [given] = await broadcast(mesh, Float64Array.of(i * (mesh.rank + 1)), i % 3, '');
        sum += given!;
      }
      return sum;
    });
    expect(new Set(sums).size).toBe(1);
  });
});

describe('failures', () => {
  it('name the rank that makes another call, on every rank', async () => {
    const found = await messages(3, async (mesh) =>
      mesh.rank === 2
        ? barrier(mesh, '')
        : allReduce(mesh, Float32Array.of(1), 'sum', '').then(() => undefined),
    );
    for (const message of found) {
      expect(message).toMatch(
        /Found allReduce\(Float32Array\[1\], sum\) on rank [01], barrier on rank 2/,
      );
    }
  });

  it('name a rank that has left, and what the others wait for', async () => {
    const found = await messages(2, async (mesh) => {
      if (mesh.rank === 0) await allReduce(mesh, Float32Array.of(1), 'sum', 'gradients');
    });
    expect(found).toEqual([
      'Rank 1 has left, while rank 0 is at `gradients` (call 1, allReduce(Float32Array[1], sum)): all ranks should make the same calls.',
      'no error',
    ]);
  });

  it('of counts that do not fit are refused before anything is sent', async () => {
    const found = await messages(2, async (mesh) => {
      await reduceScatter(mesh, new Float32Array(3), [1], '').catch(() => undefined);
      return reduceScatter(mesh, new Float32Array(3), [1, 1], '').then(() => undefined);
    });
    for (const message of found)
      expect(message).toMatch(/count for each of 2 ranks, 3 in all. Found 2, 2 in all/);
  });

  it('do not come from strangers: the ranks go on', async () => {
    const sums = await values(
      2,
      async (mesh) => allReduce(mesh, Float32Array.of(1), 'sum', ''),
      ({ host, port }) => {
        const stranger = {
          rank: 0,
          size: 2,
          token: 'guess',
          meeting: { host, port },
          opener: 'launcher',
        } as const;
        for (const bytes of [
          new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'),
          headBytes(helloOf(stranger, null)),
          headBytes({ kind: 'bye' }),
        ]) {
          const socket = connect({ host, port }, () => socket.write(bytes));
          socket.on('error', () => undefined);
          socket.unref();
        }
      },
    );
    expect(sums).toEqual([Float32Array.of(2), Float32Array.of(2)]);
  });
});
