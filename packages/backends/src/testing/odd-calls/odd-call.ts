import { type Random, randomState, resumeRandom } from '@multigrad/core/strategy';
import type { DataType, Tensor } from '@tensorflow/tfjs-core';
import type { CaseInput } from '../operations/operation-case.ts';

/** One call of an operation with arguments that are legal, at an edge, or wrong. */
export interface OddCall {
  readonly inputs: readonly CaseInput[];
  /** The other arguments, for messages. */
  readonly arguments: object;
  readonly run: (...inputs: Tensor[]) => Tensor | Tensor[];
}

/** An operation with a generator of odd calls. */
export interface OddOperation {
  readonly name: string;
  readonly draw: (draw: Draw) => OddCall;
}

type Type = CaseInput['dtype'];

const types: readonly Type[] = ['float32', 'int32', 'bool'];

/** Draws the arguments of odd calls from a seed. */
export class Draw {
  readonly #random: Random;

  constructor(seed: number, name: string) {
    this.#random = resumeRandom(randomState(seed, 'odd calls', name));
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + this.#random.integer(high - low + 1);
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.#random.uniform() < probability;
  }

  choice<T>(list: readonly T[]): T {
    return list[this.#random.integer(list.length)]!;
  }

  /** So many numbers, each from `one`. */
  list(length: number, one: (index: number) => number): number[] {
    return Array.from({ length }, (_, index) => one(index));
  }

  /** A shape of small lengths; one axis in 30 has none. */
  shape(lowestRank: number, highestRank: number): number[] {
    return this.list(this.integer(lowestRank, highestRank), () =>
      this.chance(1 / 30) ? 0 : this.integer(1, 4),
    );
  }

  /** An axis, now and then one that is not there. */
  axis(rank: number): number {
    return rank === 0 || this.chance(0.1)
      ? this.integer(-rank - 2, rank + 1)
      : this.integer(-rank, rank - 1);
  }

  /** An index into an axis, at its ends or outside now and then. */
  index(length: number): number {
    return this.chance(0.15)
      ? this.integer(-2, length + 1)
      : this.integer(0, Math.max(0, length - 1));
  }

  type(among: readonly Type[] = types): Type {
    return this.chance(0.6) && among.includes('float32') ? 'float32' : this.choice(among);
  }

  /** An input of numbers that differ from each other where its type has so many. */
  input(shape: readonly number[], dtype: Type = 'float32'): CaseInput {
    const size = shape.reduce((product, length) => product * length, 1);
    const value = {
      float32: () => Math.fround(3 * this.#random.normal()),
      int32: () => this.integer(-9, 9),
      bool: () => this.integer(0, 1),
    }[dtype];
    return { shape, dtype, values: this.list(size, value) };
  }
}

/** Text of a call, for messages. */
export function describeCall(name: string, { inputs, arguments: given }: OddCall): string {
  const shapes = inputs.map(({ shape, dtype, values }) =>
    dtype === 'int32' && values.length < 20
      ? `${dtype}[${shape.join()}]=${Array.from(values).join()}`
      : `${dtype}[${shape.join()}]`,
  );
  return `${name}(${shapes.join(', ')}) ${JSON.stringify(given)}`;
}

export type { CaseInput, DataType };
