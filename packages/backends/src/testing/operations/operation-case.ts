import type { Tensor } from '@tensorflow/tfjs-core';
import { normalValues } from '../seeded-tensors.ts';

/** One input of an operation: its shape, and its numbers row by row. */
export interface CaseInput {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** The type of the input. Gradients are taken with respect to float32 inputs alone. */
  readonly dtype: 'float32' | 'int32' | 'bool';
}

/** One call of an operation, with the result that its definition demands. */
export interface OperationCase {
  /** The operation, and what is particular about the call. */
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  readonly run: (...inputs: Tensor[]) => Tensor;
  /** Computes the numbers of the result from those of the inputs, in float64. */
  readonly reference: (...inputs: (readonly number[])[]) => readonly number[];
  /** The reason why there is no second derivative to compare. Where it is absent, the second derivative is compared. */
  readonly onceOnly?: string;
  /** Backends whose own forward operation does not cover this call, with the reason; they must refuse it. */
  readonly refusedBy?: Readonly<Record<string, string>>;
}

/** An input of seeded normal numbers. */
export function normalInput(shape: readonly number[], seed: number, shift = 0): CaseInput {
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, values: normalValues(size, seed, shift), dtype: 'float32' };
}

/** An int32 input of the given numbers. */
export function integers(shape: readonly number[], values: readonly number[]): CaseInput {
  return { shape, values, dtype: 'int32' };
}

/** The numbers of an array of `shape`, row by row, each computed from its position. */
export function build(
  shape: readonly number[],
  valueAt: (position: readonly number[]) => number,
): number[] {
  return positions(shape).map(valueAt);
}

/** All positions in an array of `shape`, row by row. */
export function positions(shape: readonly number[]): readonly (readonly number[])[] {
  const key = String(shape);
  const found = known.get(key) ?? listPositions(shape);
  known.set(key, found);
  return found;
}

const known = new Map<string, readonly (readonly number[])[]>();

function listPositions(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (found, length) =>
      found.flatMap((position) => Array.from({ length }, (_, i) => [...position, i])),
    [[]],
  );
}

/** The index of a position among the numbers of an array of `shape`, row by row. */
export function offset(shape: readonly number[], position: readonly number[]): number {
  let at = 0;
  for (let axis = 0; axis < shape.length; axis += 1) at = at * shape[axis]! + position[axis]!;
  return at;
}

/** Makes a function that reads an array of `shape`. Axes of length 1 and leading axes that are missing are repeated. */
export function broadcast(
  shape: readonly number[],
  values: readonly number[],
): (position: readonly number[]) => number {
  return (position) => {
    const own = position.slice(position.length - shape.length);
    return values[
      offset(
        shape,
        own.map((index, axis) => (shape[axis] === 1 ? 0 : index)),
      )
    ]!;
  };
}

/** The shape to which two arrays are broadcast together. */
export function commonShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const at = (shape: readonly number[], axis: number): number =>
    shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => Math.max(at(a, axis), at(b, axis)));
}
