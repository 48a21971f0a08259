import { type ExchangedSums, sliceOf } from '@multigrad/core';
import type { Communicator } from './communicator.ts';
import { waitedFor } from './measured.ts';
import { countsOf } from './parts.ts';

/** Buckets that may be on their way at a time: one is exchanged while the next one fills. */
const inFlight = 2;

/** A row of this rank in a bucket; null stands for zeros. */
interface Row {
  readonly values: Float32Array | null;
  readonly size: number;
}

/** This rank's slices of a bucket's sums. */
type Slices = readonly Float32Array[];

/**
 * Sums of rows over the ranks, bucket by bucket: a bucket is exchanged while the next rows are computed.
 *
 * A bucket has at most `limit` numbers, but at least one row: rows are never divided.
 */
export class RowBuckets implements ExchangedSums {
  readonly #communicator: Communicator;
  readonly #limit: number;
  readonly #sent: Promise<Slices>[] = [];
  #rows: Row[] = [];
  #filled = 0;

  constructor(communicator: Communicator, limit: number) {
    this.#communicator = communicator;
    this.#limit = limit;
  }

  async add(values: Float32Array | null, size: number): Promise<void> {
    if (this.#filled + size > this.#limit) await this.flush();
    this.#rows.push({ values, size });
    this.#filled += size;
  }

  async flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    const before = this.#sent.at(-inFlight);
    if (before !== undefined) await waitedFor(this.#communicator, before);
    const rows = this.#rows;
    this.#rows = [];
    this.#filled = 0;
    const slices = this.#send(rows);
    // Whoever waits for it gets the error.
    slices.catch(() => undefined);
    this.#sent.push(slices);
  }

  async end(): Promise<Slices> {
    await this.flush();
    return (await waitedFor(this.#communicator, Promise.all(this.#sent))).flat();
  }

  async #send(rows: readonly Row[]): Promise<Slices> {
    const { rank, size: ranks } = this.#communicator;
    const sizes = rows.map(({ size }) => size);
    this.#communicator.nextCall('gradients');
    const own = await this.#communicator.reduceScatter(packed(rows, ranks), countsOf(sizes, ranks));
    let offset = 0;
    return sizes.map((size) => {
      const { begin, end } = sliceOf(size, rank, ranks);
      return own.slice(offset, (offset += end - begin));
    });
  }
}

/** The rows' parts of rank 0, then those of rank 1 and so on. */
function packed(rows: readonly Row[], ranks: number): Float32Array {
  const all = new Float32Array(rows.reduce((sum, { size }) => sum + size, 0));
  let offset = 0;
  for (let rank = 0; rank < ranks; rank += 1) {
    for (const { values, size } of rows) {
      const { begin, end } = sliceOf(size, rank, ranks);
      if (values !== null) all.set(values.subarray(begin, end), offset);
      offset += end - begin;
    }
  }
  return all;
}
