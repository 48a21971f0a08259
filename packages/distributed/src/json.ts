import type { Json } from '@multigrad/core/strategy';
import type { Communicator } from './communicator.ts';

/** Each rank's value, by rank, on every rank. */
export async function gatherJson<T extends Json>(
  communicator: Communicator,
  value: T,
): Promise<readonly T[]> {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const lengths = await communicator.allGather(
    Float64Array.of(bytes.length),
    new Array<number>(communicator.size).fill(1),
  );
  const all = await communicator.allGather(bytes, [...lengths]);
  let offset = 0;
  return Array.from(lengths, (length) => parse(all.subarray(offset, (offset += length))) as T);
}

/** One rank's value on every rank. */
export async function broadcastJson<T extends Json>(
  communicator: Communicator,
  value: T | null,
  root = 0,
): Promise<T> {
  const own = communicator.rank === root ? new TextEncoder().encode(JSON.stringify(value)) : null;
  const length = Float64Array.of(own?.length ?? 0);
  await communicator.broadcast(length, root);
  const bytes = own ?? new Uint8Array(length[0]!);
  await communicator.broadcast(bytes, root);
  return parse(bytes) as T;
}

function parse(bytes: Uint8Array): Json {
  return JSON.parse(new TextDecoder().decode(bytes)) as Json;
}
