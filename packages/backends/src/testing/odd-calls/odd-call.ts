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

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.#random.uniform() < probability;
  }

  /** One element of a list, each as likely as the others. */
  choice<T>(list: readonly T[]): T {
    return list[this.#random.integer(list.length)]!;
  }

  /** A list of `length` numbers, each of them drawn by `one`. */
  list(length: number, one: (index: number) => number): number[] {
    return Array.from({ length }, (_, index) => one(index));
  }

  /** A shape whose lengths are 1 to 4; one length in 30 is 0. */
  shape(lowestRank: number, highestRank: number): number[] {
    return this.list(this.integer(lowestRank, highestRank), () =>
      this.chance(1 / 30) ? 0 : this.integer(1, 4),
    );
  }

  /** An axis of a tensor of `rank`, now and then one that does not exist. */
  axis(rank: number): number {
    return rank === 0 || this.chance(0.1)
      ? this.integer(-rank - 2, rank + 1)
      : this.integer(-rank, rank - 1);
  }

  /** An index into an axis of `length`, now and then one that may lie outside. */
  index(length: number): number {
    return this.chance(0.15)
      ? this.integer(-2, length + 1)
      : this.integer(0, Math.max(0, length - 1));
  }

  /** A type of tensors: float32 in six of ten draws where it is allowed, else any of `among`. */
  type(among: readonly Type[] = types): Type {
    return this.chance(0.6) && among.includes('float32') ? 'float32' : this.choice(among);
  }

  /** An input of random numbers: normal ones for float32, integers from -9 to 9 for int32, or booleans. */
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

/** The text of a call, for messages. */
export function describeCall(name: string, { inputs, arguments: given }: OddCall): string {
  const shapes = inputs.map(({ shape, dtype, values }) =>
    dtype === 'int32' && values.length < 20
      ? `${dtype}[${shape.join()}]=${Array.from(values).join()}`
      : `${dtype}[${shape.join()}]`,
  );
  return `${name}(${shapes.join(', ')}) ${JSON.stringify(given)}`;
}

export type { CaseInput, DataType };
