import { type Call, kindOf, payloadText } from '../calls.ts';
import type { Numbers, Payload, Reduction } from '../communicator.ts';
import {
  checkCounts,
  checkPart,
  emptyLike,
  joinedParts,
  offsetsOf,
  reduced,
  totalOf,
} from '../parts.ts';
import type { Mesh } from './mesh.ts';

/** Numbers of more bytes than this are added up slice by slice, each rank one slice. */
const smallBytes = 64 * 1024;

// What a call was given is still being sent when the call ends: each call returns new arrays and changes none.

/** What the calls on ranks are made of: the parts of {@link Mesh} that they need. */
export type Parts = Pick<Mesh, 'rank' | 'size' | 'begin' | 'send' | 'receive'>;

/**
 * The sums (or largest values) of the ranks' numbers, added in the order of the ranks: the same bits on every rank.
 *
 * Every rank sends few numbers to all; of many it sends each rank the slice which that one adds up and returns to all.
 */
export async function allReduce<T extends Numbers>(
  mesh: Parts,
  values: T,
  reduction: Reduction,
  what: string,
): Promise<T> {
  const call = mesh.begin(`allReduce(${payloadText(values)}, ${reduction})`, what);
  if (values.byteLength <= smallBytes) {
    return reduced(await exchange(mesh, call, 0, () => values), reduction);
  }
  const begin = (rank: number): number => Math.ceil((values.length * rank) / mesh.size);
  const slices = await exchange(
    mesh,
    call,
    0,
    (rank) => values.subarray(begin(rank), begin(rank + 1)) as T,
  );
  const own = reduced(slices, reduction);
  const sums = emptyLike(values, values.length);
  (await exchange(mesh, call, 1, () => own)).forEach((slice, rank) => {
    sums.set(slice, begin(rank));
  });
  return sums;
}

/** Adds up over the ranks, in their order, and returns this rank's part of the sums. */
export async function reduceScatter(
  mesh: Parts,
  values: Float32Array,
  counts: readonly number[],
  what: string,
): Promise<Float32Array> {
  checkCounts(counts, mesh.size, values.length);
  const call = mesh.begin(`reduceScatter([${counts.join(', ')}])`, what);
  const offsets = offsetsOf(counts);
  const all = await exchange(mesh, call, 0, (rank) =>
    values.subarray(offsets[rank], offsets[rank]! + counts[rank]!),
  );
  return reduced(all, 'sum');
}

/** Sends each rank its part, and returns those for this rank, by the rank that sent them. */
export async function allToAll<T extends Payload>(
  mesh: Parts,
  values: T,
  counts: readonly number[],
  what: string,
): Promise<T> {
  checkCounts(counts, mesh.size, values.length);
  const call = mesh.begin(`allToAll(${kindOf(values)}, [${counts.join(', ')}])`, what);
  const offsets = offsetsOf(counts);
  const all = await exchange(
    mesh,
    call,
    0,
    (rank) => values.subarray(offsets[rank], offsets[rank]! + counts[rank]!) as T,
  );
  return joinedParts(values, all);
}

/** The ranks' parts one after the other. */
export async function allGather<T extends Payload>(
  mesh: Parts,
  part: T,
  counts: readonly number[],
  what: string,
): Promise<T> {
  const total = totalOf(counts);
  checkCounts(counts, mesh.size, total);
  checkPart(part, counts, mesh.rank);
  const call = mesh.begin(`allGather(${kindOf(part)}, [${counts.join(', ')}])`, what);
  const all = await exchange(mesh, call, 0, () => part);
  const whole = emptyLike(part, total);
  const offsets = offsetsOf(counts);
  all.forEach((one, rank) => whole.set(one, offsets[rank]));
  return whole;
}

/** The values of one rank, on every rank. */
export async function broadcast<T extends Payload>(
  mesh: Parts,
  values: T,
  root: number,
  what: string,
): Promise<T> {
  const call = mesh.begin(`broadcast(${payloadText(values)}, ${root})`, what);
  // The others answer with nothing: so the root notices a rank that makes another call.
  const nothing = emptyLike(values, 0);
  if (mesh.rank === root) {
    await exchange(mesh, call, 0, () => values);
    return values.slice() as T;
  }
  mesh.send(root, call, 0, bytesOf(nothing));
  return valuesOf(values, await mesh.receive(root, call, 0));
}

/** Returns when every rank has called it. */
export async function barrier(mesh: Parts, what: string): Promise<void> {
  const nothing = new Uint8Array(0);
  await exchange(mesh, mesh.begin('barrier', what), 0, () => nothing);
}

/**
 * Sends each rank its part and receives a part from each; at this rank's place stands its own.
 *
 * @param partFor - what a rank is sent
 */
async function exchange<T extends Payload>(
  mesh: Parts,
  call: Call,
  round: number,
  partFor: (rank: number) => T,
): Promise<readonly T[]> {
  const { rank: own, size } = mesh;
  for (let step = 1; step < size; step += 1) {
    const to = (own + step) % size;
    mesh.send(to, call, round, bytesOf(partFor(to)));
  }
  const kept = partFor(own);
  return Promise.all(
    Array.from({ length: size }, async (_, from) =>
      from === own ? kept : valuesOf(kept, await mesh.receive(from, call, round)),
    ),
  );
}

function bytesOf(values: Payload): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Bytes as numbers of the same kind as others. */
function valuesOf<T extends Payload>(like: T, bytes: Uint8Array<ArrayBuffer>): T {
  return new (like.constructor as new (buffer: ArrayBuffer) => T)(bytes.buffer);
}
