import type { BatchShare } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';

/** Whether a forward pass trains: batch statistics and dropout are in force, moving statistics follow. */
export interface ForwardMode {
  readonly training: boolean;
  /** Number of the training step, an integer >= 0; dropout alone, also that of modalities, depends on it. */
  readonly step?: number;
  /**
   * This rank's part of the batch, as the trainer passes it: dropout and batch norm depend on it. @defaultValue the
   * whole batch
   */
  readonly share?: BatchShare;
}

/** Applies a part of one output. */
export function apply(
  part: LayersModel,
  inputs: tf.Tensor | tf.Tensor[],
  mode: ForwardMode,
): tf.Tensor {
  return part.apply(inputs, { ...mode }) as tf.Tensor;
}

/** A record of a value for each name. */
export function record<Name extends string, Value>(
  names: readonly Name[],
  valueOf: (name: Name) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Record<Name, Value>;
}

/** `tf.tidy` for a record whose keys are known to the type checker only as a type parameter. */
export function tidyRecord<Name extends string, Value extends tf.TensorContainer>(
  body: () => Record<Name, Value>,
): Record<Name, Value> {
  return tf.tidy(body);
}

/**
 * Checks that an input has the shape that a part takes.
 *
 * @throws MultigradError `invalid-argument`
 */
export function assertInput(what: string, expected: SymbolicTensor['shape'], value: unknown): void {
  const found: number[] | null = value instanceof tf.Tensor ? (value.shape as number[]) : null;
  const fits =
    found?.length === expected.length &&
    found.every((size, axis) => expected[axis] === null || expected[axis] === size);
  if (fits) return;
  throw new MultigradError(
    'invalid-argument',
    `${what} should be a tensor of shape ${shapeText(expected)}. ` +
      `Found ${found === null ? describeValue(value) : `[${found.join(', ')}]`}.`,
  );
}

/** A shape as it stands in messages: n for an open size. */
export function shapeText(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => size ?? 'n').join(', ')}]`;
}

/** The shapes of a model's inputs and outputs, for messages; of anything else, what it is. */
export function formText(found: unknown): string {
  if (!isModel(found)) return describeValue(found);
  const shapes = (tensors: readonly SymbolicTensor[]): string =>
    tensors.map(({ shape }) => shapeText(shape)).join(' and ');
  return `a LayersModel from ${shapes(found.inputs)} to ${shapes(found.outputs)}`;
}

function isModel(value: unknown): value is LayersModel {
  return typeof value === 'object' && value !== null && 'inputs' in value && 'outputs' in value;
}
