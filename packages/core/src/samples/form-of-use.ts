import * as tf from '@tensorflow/tfjs-core';
import { ofConvolution } from './convolution-form.ts';
import { ofProduct, ofTable } from './dense-forms.ts';
import type { ValueOf } from '../tape/saved-values.ts';
import type { Factors, Form, Rows } from './factors.ts';
import { operationOf } from './operation.ts';
import {
  ofDifference,
  ofLayerNormalisation,
  ofMultiplication,
  ofNormalisation,
  sumOf,
} from './repeated-forms.ts';
import { nameWithin, type Use } from './trace.ts';

/** A convolution or a product with a bias and an activation in one kernel: what they do to the sum comes first. */
const fused =
  (ofKernel: Form): Form =>
  (context) => {
    const { call, input, use, valueOf, keep } = context;
    const activation = call.attributes['activation'] ?? 'linear';
    let { delta } = context;
    if (activation === 'relu') {
      const y = valueOf(use.node.outputs[0]!);
      if (y === null) return null;
      const behind = delta;
      delta = keep(() => tf.mul(behind, tf.step(y)));
    } else if (activation !== 'linear') {
      return null;
    }
    return (input === 'bias' ? sumOf : ofKernel)({ ...context, delta });
  };

const formsByKernel: ReadonlyMap<string, Form> = new Map<string, Form>([
  [tf.BatchMatMul, ofProduct],
  [tf._FusedMatMul, fused(ofProduct)],
  [tf.Conv2D, ofConvolution],
  [tf.FusedConv2D, fused(ofConvolution)],
  [tf.Add, sumOf],
  [tf.Sub, ofDifference],
  [tf.Multiply, ofMultiplication],
  [tf.Tile, sumOf],
  [tf.FusedBatchNorm, ofNormalisation],
  ['LayerNorm', ofLayerNormalisation],
  [tf.GatherV2, ofTable],
]);

/**
 * The per-sample gradients of the tensor that an operation uses.
 *
 * @param delta - the gradient of the operation's output, of the sum of all losses
 * @param keep - makes a tensor that lives as long as the form
 * @returns null where no form is known for this operation
 */
export function formOfUse(
  use: Use,
  delta: tf.Tensor,
  valueOf: ValueOf,
  keep: (make: () => tf.Tensor) => tf.Tensor,
): Factors | Rows | null {
  const call = operationOf(use.node);
  if (call === null) return null;
  const input = nameWithin(call.inputs, use.input, use.tensor);
  const forms = input === undefined ? undefined : formsByKernel.get(call.kernel);
  if (forms === undefined) return null;
  return forms({ call, input: input!, use, delta, valueOf, keep });
}
