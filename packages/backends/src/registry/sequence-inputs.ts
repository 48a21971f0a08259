import { MultigradError, own } from '@multigrad/core/strategy';
import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf } from './check-inputs.ts';

type Inputs = NamedTensorInfoMap;

/** An input that may be left out, after a check of its type and shape; null where it is. */
export function optionalInput(
  kernel: string,
  inputs: Inputs,
  name: string,
  shape: readonly number[],
): TensorInfo | null {
  return own(inputs, name) === undefined ? null : inputOf(kernel, inputs, name, shape);
}

/** The sizes of a recurrent kernel's call. */
export interface SequenceSizes {
  readonly count: number;
  readonly steps: number;
  readonly units: number;
}

/** Reads n × t × `gates` · u as sizes, after a check that it has three axes and whole units. */
export function sequenceSizes(kernel: string, x: TensorInfo, gates: number): SequenceSizes {
  const [count, steps, width] = x.shape as [number, number, number];
  if (x.shape.length === 3 && width % gates === 0) return { count, steps, units: width / gates };
  throw new MultigradError(
    'invalid-argument',
    `Kernel ${kernel} should get sequences of three axes, the last one a multiple of ${gates}. ` +
      `Found [${x.shape.join(', ')}].`,
  );
}

/** The inputs that `Lstm` and `Gru` share; `mask` is null where it was left out. */
export interface RecurrentInputs extends SequenceSizes {
  readonly sums: TensorInfo;
  readonly recurrent: TensorInfo;
  readonly h: TensorInfo;
  readonly mask: TensorInfo | null;
}

/** Reads the inputs of `Lstm` (4 gates) or `Gru` (3) after a check of their shapes. */
export function recurrentInputs(kernel: string, inputs: Inputs, gates: number): RecurrentInputs {
  const sums = inputOf(kernel, inputs, 'sums');
  const sizes = sequenceSizes(kernel, sums, gates);
  const { count, steps, units } = sizes;
  return {
    ...sizes,
    sums,
    recurrent: inputOf(kernel, inputs, 'recurrent', [units, gates * units]),
    h: inputOf(kernel, inputs, 'h', [count, units]),
    mask: optionalInput(kernel, inputs, 'mask', [count, steps]),
  };
}

/** The inputs that `LstmGrad` and `GruGrad` share; those left out are null. */
export interface RecurrentGradInputs extends SequenceSizes {
  readonly dStates: TensorInfo | null;
  readonly dLast: TensorInfo | null;
  readonly recurrent: TensorInfo;
  readonly mask: TensorInfo | null;
  readonly gates: TensorInfo;
}

/** Reads them after a check of their shapes; `last` is how many vectors of u numbers `dLast` has for each sample. */
function recurrentGradInputs(
  kernel: string,
  inputs: Inputs,
  gateCount: number,
  last: number,
): RecurrentGradInputs {
  const gates = inputOf(kernel, inputs, 'gates');
  const sizes = sequenceSizes(kernel, gates, gateCount);
  const { count, steps, units } = sizes;
  return {
    ...sizes,
    gates,
    dStates: optionalInput(kernel, inputs, 'dStates', [count, steps, units]),
    dLast: optionalInput(kernel, inputs, 'dLast', [count, last * units]),
    recurrent: inputOf(kernel, inputs, 'recurrent', [units, gateCount * units]),
    mask: optionalInput(kernel, inputs, 'mask', [count, steps]),
  };
}

/** The inputs of `Lstm`. */
export interface LstmInputs extends RecurrentInputs {
  readonly c: TensorInfo;
}

/** Reads the inputs of `Lstm` after a check of their shapes. */
export function lstmInputs(inputs: Inputs): LstmInputs {
  const given = recurrentInputs('Lstm', inputs, 4);
  return { ...given, c: inputOf('Lstm', inputs, 'c', given.h.shape) };
}

/** The inputs of `LstmGrad`. */
export interface LstmGradInputs extends RecurrentGradInputs {
  readonly c: TensorInfo;
  readonly cells: TensorInfo;
}

/** Reads the inputs of `LstmGrad` after a check of their shapes. */
export function lstmGradInputs(inputs: Inputs): LstmGradInputs {
  const name = 'LstmGrad';
  const given = recurrentGradInputs(name, inputs, 4, 2);
  const { count, steps, units } = given;
  return {
    ...given,
    c: inputOf(name, inputs, 'c', [count, units]),
    cells: inputOf(name, inputs, 'cells', [count, steps, units]),
  };
}

/** The inputs of `GruGrad`. */
export interface GruGradInputs extends RecurrentGradInputs {
  readonly before: TensorInfo;
}

/** Reads the inputs of `GruGrad` after a check of their shapes. */
export function gruGradInputs(inputs: Inputs): GruGradInputs {
  const given = recurrentGradInputs('GruGrad', inputs, 3, 1);
  const { count, steps, units } = given;
  return { ...given, before: inputOf('GruGrad', inputs, 'before', [count, steps, units]) };
}

/** Shapes of the outputs of `Lstm`, in order. */
export function lstmShapes({ count, steps, units }: SequenceSizes): number[][] {
  const sequence = [count, steps, units];
  return [sequence, [count, 2 * units], [count, steps, 4 * units], sequence, sequence];
}

/** Shapes of the outputs of `Gru`, in order. */
export function gruShapes({ count, steps, units }: SequenceSizes): number[][] {
  const sequence = [count, steps, units];
  return [sequence, [count, units], [count, steps, 3 * units], sequence, sequence];
}

/** The inputs, sizes and attributes of `Attention`; `mask` is null where it was left out. */
export interface AttentionInputs {
  readonly count: number;
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  /** Numbers of one head in a row. */
  readonly width: number;
  readonly scale: number;
  readonly q: TensorInfo;
  readonly k: TensorInfo;
  readonly v: TensorInfo;
  readonly mask: TensorInfo | null;
}

/** The inputs, sizes and attributes of `AttentionGrad`. */
export interface AttentionGradInputs extends AttentionInputs {
  readonly dy: TensorInfo;
  /** The probabilities. */
  readonly p: TensorInfo;
}

/** Reads the inputs of `AttentionGrad` after a check of their shapes. */
export function attentionGradInputs(inputs: Inputs, attributes: unknown): AttentionGradInputs {
  const name = 'AttentionGrad';
  const given = attentionInputs(name, inputs, attributes);
  const { count, heads, queries, keys, q } = given;
  return {
    ...given,
    dy: inputOf(name, inputs, 'dy', q.shape),
    p: inputOf(name, inputs, 'p', [count, heads, queries, keys]),
  };
}

/** Reads the inputs of `Attention` or of its gradient after a check of their shapes. */
export function attentionInputs(
  kernel: string,
  inputs: Inputs,
  attributes: unknown,
): AttentionInputs {
  const { heads, scale } = attributes as { readonly heads: number; readonly scale: number };
  const q = inputOf(kernel, inputs, 'q');
  const [count, queries, row] = q.shape as [number, number, number];
  const k = inputOf(kernel, inputs, 'k');
  const keys = k.shape[1] ?? 0;
  const whole = q.shape.length === 3 && keys > 0 && Number.isInteger(heads) && row % heads === 0;
  if (!whole) {
    throw new MultigradError(
      'invalid-argument',
      `Kernel ${kernel} should get queries of three axes, at least one key, and heads that divide the last axis. ` +
        `Found queries [${q.shape.join(', ')}], keys [${k.shape.join(', ')}], ${heads} heads.`,
    );
  }
  return {
    ...{ count, queries, keys, heads, scale, width: row / heads },
    q,
    k: inputOf(kernel, inputs, 'k', [count, keys, row]),
    v: inputOf(kernel, inputs, 'v', [count, keys, row]),
    mask: optionalInput(kernel, inputs, 'mask', [count, keys]),
  };
}
