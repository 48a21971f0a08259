import { type ExchangedSums, sliceOf } from '@multigrad/core';
import type { Communicator } from './communicator.ts';
import { waitedFor } from './measured.ts';
import { countsOf } from './parts.ts';
import { reduceScatterRounded, WireError, type WireFormat } from './wire.ts';

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
  readonly #wire: Wire;
  readonly #error = new WireError();
  readonly #sent: Promise<Slices>[] = [];
  #rows: Row[] = [];
  #filled = 0;

  constructor(communicator: Communicator, limit: number, wire: Wire) {
    this.#communicator = communicator;
    this.#limit = limit;
    this.#wire = wire;
  }

  async add(values: Float32Array | null, size: number): Promise<void> {
    if (this.#filled + size > this.#limit) await this.flush();
    this.#rows.push({ values, size });
    this.#filled += size;
    // What fills a bucket does not wait for the next row.
    if (this.#filled >= this.#limit) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    const before = this.#sent.at(-inFlight);
    if (before !== undefined) await waitedFor(this.#communicator, 'reduceScatter', before);
    if (this.#sent.length === 0) await this.#wire.begin();
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
    const sent = Promise.all(this.#sent);
    const slices = (await waitedFor(this.#communicator, 'reduceScatter', sent)).flat();
    if (this.#wire.measures) {
      this.#wire.measured(await this.#error.ofAllRanks(this.#communicator));
    }
    return slices;
  }

  /** Makes its calls at once, so that buckets are sent in the same order on every rank. */
  async #scatter(values: Float32Array, counts: readonly number[]): Promise<Float32Array> {
    const communicator = this.#communicator;
    const { format, measures } = this.#wire;
    communicator.nextCall('gradients');
    if (format === 'float32') return communicator.reduceScatter(values, counts);
    const rounding = reduceScatterRounded(communicator, values, counts);
    if (!measures) return rounding;
    const [rounded, exact] = await Promise.all([
      rounding,
      communicator.reduceScatter(values, counts),
    ]);
    this.#error.add(rounded, exact);
    return rounded;
  }

  async #send(rows: readonly Row[]): Promise<Slices> {
    const { rank, size: ranks } = this.#communicator;
    const sizes = rows.map(({ size }) => size);
    const own = await this.#scatter(packed(rows, ranks), countsOf(sizes, ranks));
    let offset = 0;
    return sizes.map((size) => {
      const { begin, end } = sliceOf(size, rank, ranks);
      return own.slice(offset, (offset += end - begin));
    });
  }
}

/** How a bucket is sent. */
export interface Wire {
  readonly format: WireFormat;
  /** What comes before the first bucket. */
  readonly begin: () => Promise<void>;
  /** Whether buckets are sent both ways, to measure the error of rounding. */
  readonly measures: boolean;
  /** Takes the error, the same on every rank. @throws where it is too large */
  readonly measured: (error: number) => void;
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
