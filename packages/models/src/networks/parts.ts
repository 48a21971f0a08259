import { describeValue, MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';

/** Whether a forward pass trains: batch statistics and dropout are in force, moving statistics follow. */
export interface ForwardMode {
  readonly training: boolean;
  /** Number of the training step, an integer >= 0: what dropout goes by, and nothing else. */
  readonly step?: number;
  /** Number of the batch's first sample in the batch of all ranks: dropout masks go by it. @defaultValue 0 */
  readonly firstSample?: number;
  /** Adds up over the ranks, in place: batch norm then takes the samples of all. @defaultValue none */
  readonly sumNow?: ((values: Float64Array) => void) | null;
}

/** Applies a part of one output. */
export function apply(
  part: LayersModel,
  inputs: tf.Tensor | tf.Tensor[],
  mode: ForwardMode,
): tf.Tensor {
  return part.apply(inputs, layerArguments(mode)) as tf.Tensor;
}

/** What layers are called with. */
export function layerArguments({
  training,
  step,
  firstSample = 0,
  sumNow = null,
}: ForwardMode): Record<string, unknown> {
  return {
    training,
    ...(step === undefined ? {} : { step }),
    ...(firstSample === 0 ? {} : { firstSample }),
    ...(sumNow === null ? {} : { sumNow }),
  };
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
