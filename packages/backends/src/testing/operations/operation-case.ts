import type { Tensor } from '@tensorflow/tfjs-core';
import { normalValues } from '../seeded-tensors.ts';

/** One input of an operation: numbers row by row. */
export interface CaseInput {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** Gradients are taken by float32 inputs. */
  readonly dtype: 'float32' | 'int32' | 'bool';
}

/** One call of an operation, with what it should give by its definition. */
export interface OperationCase {
  /** The operation, and what is particular about the call. */
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  readonly run: (...inputs: Tensor[]) => Tensor;
  /** The same in float64, from the numbers of the inputs to those of the result. */
  readonly reference: (...inputs: (readonly number[])[]) => readonly number[];
  /** Why there is no second derivative to compare; otherwise it is compared. */
  readonly onceOnly?: string;
  /** Backends whose own forward operation does not cover this call, with the reason; they must refuse it. */
  readonly refusedBy?: Readonly<Record<string, string>>;
}

/** An input of seeded normal numbers. */
export function normalInput(shape: readonly number[], seed: number, shift = 0): CaseInput {
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, values: normalValues(size, seed, shift), dtype: 'float32' };
}

export function integers(shape: readonly number[], values: readonly number[]): CaseInput {
  return { shape, values, dtype: 'int32' };
}

/** The numbers of an array of `shape`, row by row, each from its position. */
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

/** Where a position stands among the numbers of an array of `shape`. */
export function offset(shape: readonly number[], position: readonly number[]): number {
  let at = 0;
  for (let axis = 0; axis < shape.length; axis += 1) at = at * shape[axis]! + position[axis]!;
  return at;
}

/** A function that reads an array of `shape`; an axis of one number, or one that is not there, is repeated. */
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

/** The shape that two arrays have together. */
export function commonShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const at = (shape: readonly number[], axis: number): number =>
    shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => Math.max(at(a, axis), at(b, axis)));
}
