import * as tf from '@tensorflow/tfjs-core';
import { own } from '../base/own.ts';
import type { KernelCall } from '../tape/tape-internals.ts';
import { type Place, placeOn, sampleAxis, type SampleAxis, sizeOf } from './places.ts';

/**
 * Where the samples of an input lie, given where those of the output lie:
 *
 * - a place
 * - `whole`: every sample of the output depends on the whole input, as a layer's output on its kernel
 * - `mixed`: the operation computes a sample of its output from other samples of the input
 */
export type InputPlace = Place | 'whole' | 'mixed';

/** An operation, the input that is asked about, and the samples of its output. */
interface Question {
  readonly call: KernelCall;
  readonly input: string;
  /** Shape of the input. */
  readonly from: readonly number[];
  /** Shape of the output. */
  readonly to: readonly number[];
  readonly place: Place;
  readonly axis: SampleAxis;
}

type Rule = (question: Question) => InputPlace;

/** Same shape, number by number; samples may then lie anywhere. */
const elementwise = [
  tf.Abs, tf.Acos, tf.Acosh, tf.Asin, tf.Asinh, tf.Atan, tf.Atanh, tf.Cast, tf.Ceil, tf.ClipByValue, tf.Cos, tf.Cosh,
  tf.Elu, tf.Erf, tf.Exp, tf.ExpandDims, tf.Expm1, tf.Floor, tf.Identity, tf.LeakyRelu, tf.Log, tf.Log1p, tf.Neg,
  tf.Reciprocal, tf.Relu, tf.Relu6, tf.Reshape, tf.Round, tf.Rsqrt, tf.Selu, tf.Sigmoid, tf.Sign, tf.Sin, tf.Sinh,
  tf.Softplus, tf.Sqrt, tf.Square, tf.Step, tf.Tan, tf.Tanh, tf.AddN, 'Gelu', 'SeededDropout',
]; // prettier-ignore

/** Inputs of smaller shapes are repeated. */
const broadcasting = [
  tf.Add, tf.Sub, tf.Multiply, tf.RealDiv, tf.FloorDiv, tf.Maximum, tf.Minimum, tf.Mod, tf.Pow, tf.SquaredDifference,
  tf.Atan2, tf.Prelu, tf.Select, tf.FusedBatchNorm,
]; // prettier-ignore

/** The first axis holds samples (pictures), whatever happens on the others. */
const byPicture = [
  tf.AvgPool, tf.AvgPool3D, tf.MaxPool, tf.MaxPool3D, tf.LRN, tf.ResizeBilinear, tf.ResizeNearestNeighbor,
  tf.Conv2D, tf.Conv3D, tf.DepthwiseConv2dNative, tf.FusedConv2D, tf.FusedDepthwiseConv2D, tf.Conv2DBackpropInput,
]; // prettier-ignore

/** Inputs that samples lie in, of operations whose other inputs are the same for all samples. */
const pictureInputs = new Set(['x', 'dy', 'images']);

const reductions = [tf.Sum, tf.Mean, tf.Max, tf.Min, tf.Prod];
const alongAxis = [tf.Softmax, tf.LogSoftmax, tf.Cumsum, tf.Cumprod, 'LayerNorm'];

const keepPlace: Rule = ({ place }) => place;

const repeat: Rule = ({ from, to, axis: { axis, within }, place: { batch } }) => {
  const at = axis - (to.length - from.length);
  return at < 0 || from[at] === 1 ? 'whole' : placeOn(from, { axis: at, within }, batch);
};

const pictures: Rule = ({ input, from, axis, place: { batch } }) => {
  if (!pictureInputs.has(input)) return 'whole';
  return axis.axis === 0 ? placeOn(from, axis, batch) : 'mixed';
};

/** Axes of an attribute, a number or a list, counted from the first. */
function axesOf(value: unknown, rank: number): number[] {
  const axes = typeof value === 'number' ? [value] : ((value ?? []) as number[]);
  return axes.map((axis) => (axis < 0 ? axis + rank : axis));
}

const reduce: Rule = ({ call, from, to, axis: { axis, within }, place: { batch } }) => {
  const { axis: given, reductionIndices } = call.attributes;
  const axes = axesOf(given ?? reductionIndices, from.length);
  const kept = [...from.keys()].filter((candidate) => !axes.includes(candidate));
  const at = to.length === from.length ? axis : kept[axis];
  if (at === undefined || axes.includes(at)) return 'mixed';
  return placeOn(from, { axis: at, within }, batch);
};

/** The axis along which numbers depend on each other must not hold samples. */
const along: Rule = ({ call, input, from, to, axis: { axis, within }, place: { batch } }) => {
  if (input === 'scale' || input === 'offset') return 'whole';
  const { axis: given, dim, dims } = call.attributes;
  const axes = axesOf(given ?? dim ?? dims ?? -1, to.length);
  return axes.includes(axis) ? 'mixed' : placeOn(from, { axis, within }, batch);
};

const product: Rule = ({ call, input, from, to, axis: { axis, within }, place: { batch } }) => {
  if (input !== 'a' && input !== 'b') return 'whole';
  const { transposeA, transposeB } = call.attributes;
  const turned = (input === 'a' ? transposeA : transposeB) === true;
  const fromEnd = to.length - axis;
  if (fromEnd > 2) {
    const at = axis - (to.length - from.length);
    return at < 0 || from[at] === 1 ? 'whole' : placeOn(from, { axis: at, within }, batch);
  }
  // Rows of the product come from `a`, columns from `b`.
  if ((fromEnd === 2) !== (input === 'a')) return 'whole';
  const at = from.length - (turned ? 3 - fromEnd : fromEnd);
  return placeOn(from, { axis: at, within }, batch);
};

const turn: Rule = ({ call, from, axis: { axis, within }, place: { batch } }) =>
  placeOn(from, { axis: (call.attributes['perm'] as number[])[axis]!, within }, batch);

const concatenate: Rule = ({ call, from, to, axis: { axis, within }, place: { batch } }) =>
  axesOf(call.attributes['axis'], to.length).includes(axis)
    ? 'mixed'
    : placeOn(from, { axis, within }, batch);

const pack: Rule = ({ call, from, to, axis: { axis, within }, place: { batch } }) => {
  const [along] = axesOf(call.attributes['axis'], to.length);
  if (axis === along) return 'mixed';
  return placeOn(from, { axis: axis > along! ? axis - 1 : axis, within }, batch);
};

const unpack: Rule = ({ call, from, axis: { axis, within }, place: { batch } }) => {
  const [along] = axesOf(call.attributes['axis'], from.length);
  return placeOn(from, { axis: axis >= along! ? axis + 1 : axis, within }, batch);
};

/** Slices, padding and tiles: on the axis of samples nothing may change. */
const keepAxis: Rule = ({ from, to, axis, place: { batch } }) =>
  from.length === to.length && from[axis.axis] === to[axis.axis]
    ? placeOn(from, axis, batch)
    : 'mixed';

/** One number that is repeated for each sample, or a tensor that is repeated on other axes. */
const tile: Rule = (question) => {
  const { from, axis } = question;
  return from[axis.axis] === 1 ? 'whole' : keepAxis(question);
};

const gather: Rule = ({ call, from, to, axis: { axis, within }, place: { batch } }) => {
  if ((call.attributes['batchDims'] ?? 0) !== 0) return 'mixed';
  const [along] = axesOf(call.attributes['axis'] ?? 0, from.length);
  const rank = to.length - from.length + 1;
  if (axis >= along! && axis < along! + rank) return 'whole';
  return placeOn(from, { axis: axis < along! ? axis : axis - rank + 1, within }, batch);
};

/** Without a list of axes all of them are turned round. */
const reverse: Rule = (question) => {
  const { dims } = question.call.attributes;
  return dims === undefined || dims === null ? 'mixed' : along(question);
};

const refuse: Rule = () => 'mixed';

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...elementwise.map((kernel) => [kernel, keepPlace] as const),
  ...broadcasting.map((kernel) => [kernel, repeat] as const),
  ...byPicture.map((kernel) => [kernel, pictures] as const),
  ...reductions.map((kernel) => [kernel, reduce] as const),
  ...alongAxis.map((kernel) => [kernel, along] as const),
  [tf.BatchMatMul, product],
  [tf._FusedMatMul, product],
  [tf.Transpose, turn],
  [tf.Concat, concatenate],
  [tf.SplitV, concatenate],
  [tf.Pack, pack],
  [tf.Unpack, unpack],
  [tf.Slice, keepAxis],
  [tf.PadV2, keepAxis],
  [tf.MirrorPad, keepAxis],
  [tf.Tile, tile],
  [tf.GatherV2, gather],
  [tf.Reverse, reverse],
  ['BatchNormTraining', refuse],
]);

/**
 * Says where the samples of an input lie, from what the kernel computes.
 *
 * @returns null where nothing is known of the kernel, or samples lie along several axes at once
 */
export function placeOfInput(
  call: KernelCall,
  input: string,
  output: readonly number[],
  place: Place,
): InputPlace | null {
  const rule = rules.get(call.kernel);
  if (rule === undefined) return null;
  const from = own(call.inputs, input)!.shape;
  if (rule === keepPlace) {
    return sizeOf(from) === sizeOf(output) ? place : null;
  }
  const axis = sampleAxis(output, place);
  return axis === null ? null : rule({ call, input, from, to: output, place, axis });
}

/** Where the samples of an input would lie if they lie along the same axis; to be tried out. */
export function likelyPlace(
  from: readonly number[],
  to: readonly number[],
  place: Place,
): Place | 'whole' {
  const axis = sampleAxis(to, place);
  if (axis === null || from.length < to.length || from[axis.axis] !== to[axis.axis]) return 'whole';
  return placeOn(from, axis, place.batch);
}
