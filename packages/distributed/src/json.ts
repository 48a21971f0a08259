import type { Json } from '@multigrad/core/strategy';
import type { Communicator } from './communicator.ts';

/**
 * Bytes of the first message, which begins with the length of the text: a longer text needs a second one. Every rank sees all
 * lengths, and so has the same number.
 */
export interface Slot {
  bytes: number;
}

/** Bytes of the first message where nothing has been sent before. */
const firstSlot = 1024;
/** The first message grows to this many bytes at most: every message has that many. */
const largestSlot = 16 * 1024;
const lengthBytes = 4;

/** A slot to begin with. */
export function newSlot(): Slot {
  return { bytes: firstSlot };
}

/** Makes room for texts as long as the longest one so far. */
function grow(slot: Slot, longest: number): void {
  while (slot.bytes < largestSlot && longest > slot.bytes - lengthBytes) slot.bytes *= 2;
}

/** Each rank's value, by rank, on every rank. */
export async function gatherJson<T extends Json>(
  communicator: Communicator,
  value: T,
): Promise<readonly T[]> {
  return gatherIn(newSlot(), communicator, value);
}

/** Each rank's value, by rank, on every rank; the slot grows for later ones. */
export async function gatherIn<T extends Json>(
  room: Slot,
  communicator: Communicator,
  value: T,
): Promise<readonly T[]> {
  const { size } = communicator;
  const { bytes: slot } = room;
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const first = await communicator.allGather(
    firstMessage(bytes, slot),
    new Array<number>(size).fill(slot),
  );
  const slots = Array.from({ length: size }, (_, rank) =>
    first.subarray(rank * slot, (rank + 1) * slot),
  );
  const lengths = slots.map(lengthIn);
  grow(room, Math.max(...lengths));
  if (lengths.every((length) => length <= slot - lengthBytes)) {
    return slots.map((one, rank) => parse(textIn(one, lengths[rank]!)) as T);
  }
  const all = await communicator.allGather(bytes, lengths);
  let offset = 0;
  return Array.from(lengths, (length) => parse(all.subarray(offset, (offset += length))) as T);
}

/** One rank's value on every rank. */
export async function broadcastJson<T extends Json>(
  communicator: Communicator,
  value: T | null,
  root = 0,
): Promise<T> {
  return broadcastIn(newSlot(), communicator, value, root);
}

/** One rank's value on every rank; the slot grows for later ones. */
export async function broadcastIn<T extends Json>(
  room: Slot,
  communicator: Communicator,
  value: T | null,
  root = 0,
): Promise<T> {
  const { bytes: slot } = room;
  const own = communicator.rank === root ? new TextEncoder().encode(JSON.stringify(value)) : null;
  const first = own === null ? new Uint8Array(slot) : firstMessage(own, slot);
  await communicator.broadcast(first, root);
  const length = lengthIn(first);
  grow(room, length);
  if (length <= slot - lengthBytes) return parse(textIn(first, length)) as T;
  const bytes = own ?? new Uint8Array(length);
  await communicator.broadcast(bytes, root);
  return parse(bytes) as T;
}

/** The first message of a text: its length, and as much of it as there is room for. */
function firstMessage(bytes: Uint8Array, slot: number): Uint8Array {
  const message = new Uint8Array(slot);
  new DataView(message.buffer).setUint32(0, bytes.length);
  message.set(bytes.subarray(0, slot - lengthBytes), lengthBytes);
  return message;
}

function lengthIn(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(0);
}

function textIn(message: Uint8Array, length: number): Uint8Array {
  return message.subarray(lengthBytes, lengthBytes + length);
}

function parse(bytes: Uint8Array): Json {
  return JSON.parse(new TextDecoder().decode(bytes)) as Json;
}
