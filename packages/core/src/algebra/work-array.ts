type Numbers = Float64Array | Int32Array | Uint8Array;

/** Longest array that is kept: a matrix of 64 objectives. */
const longest = 64 * 64;

/**
 * An array that a solver works on, kept from call to call, so that solving for up to 64 objectives allocates nothing but
 * the answer.
 *
 * A work array holds one array of each length. A request for a length overwrites the array that the last request for it
 * returned. So an array must not outlive the call of the solver, and every use in a call needs its own `WorkArray`.
 */
export class WorkArray<T extends Numbers = Float64Array> {
  readonly #make: (length: number) => T;
  readonly #kept: T[] = [];

  constructor(make: (length: number) => T) {
    this.#make = make;
  }

  /** An array of `length` numbers of any value. */
  of(length: number): T {
    if (length > longest) return this.#make(length);
    return (this.#kept[length] ??= this.#make(length));
  }

  /** An array of `length` zeros. */
  zeros(length: number): T {
    const array = this.of(length);
    array.fill(0);
    return array;
  }
}

/** A {@link WorkArray} of float64 numbers. */
export function workNumbers(): WorkArray {
  return new WorkArray((length) => new Float64Array(length));
}
