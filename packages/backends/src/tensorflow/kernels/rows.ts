import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { anyRowsOf, inputOf, rowsOf, weightsOf } from '../../registry/check-inputs.ts';
import { productNumbers, productsOf } from '../../registry/product-inputs.ts';
import type { AdamAttributes, MomentumAttributes } from '../../registry/optimizer-attributes.ts';
import type { NodeBackend } from '../node-backend.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

/** Inner products of the gradients of one tensor, in float64. */
export const gramianOfRows: NativeKernel = {
  name: 'GramianOfRows',
  run: ({ inputs }, backend) => {
    const rows = rowsOf('GramianOfRows', inputs);
    const count = rows.length;
    return runNative(backend, 'GramianOfRows', rows, [], [[count + count * (count + 1)]])[0]!;
  },
};

/** Inner products of the K gradients of a dense layer's matrix from its input and the gradients of its output. */
export const gramianOfProducts: NativeKernel = {
  name: 'GramianOfProducts',
  run: ({ inputs }, backend) => {
    const { left, rows, batch } = productsOf(inputs);
    const shapes = [[productNumbers(rows.length)]];
    return runNative(backend, 'GramianOfProducts', [left, ...rows], [batch], shapes)[0]!;
  },
};

/** The weighted sum of rows, in float64, rounded once. */
export const combineRows: NativeKernel = {
  name: 'CombineRows',
  run: ({ inputs, attrs }, backend) => {
    const rows = rowsOf('CombineRows', inputs);
    const weights = weightsOf('CombineRows', attrs as { weights?: unknown }, rows.length);
    return runNative(backend, 'CombineRows', rows, weights, [rows[0]!.shape])[0]!;
  },
};

/** For each row, 1 if all its numbers are finite, else 0. Rows may have any sizes. */
export const finiteRows: NativeKernel = {
  name: 'FiniteRows',
  run: ({ inputs }, backend) => {
    const rows = anyRowsOf('FiniteRows', inputs);
    return runNative(backend, 'FiniteRows', rows, [], [[rows.length]])[0]!;
  },
};

/** One step of SGD with momentum along the weighted sum of rows, for which no tensor is made. */
export const momentumUpdate: NativeKernel = {
  name: 'MomentumUpdate',
  run: ({ inputs, attrs }, backend) => {
    const own = ownInputs('MomentumUpdate', inputs, ['variable', 'velocity']);
    const rows = rowsOf('MomentumUpdate', inputs, ['variable', 'velocity']);
    const weights = weightsOf('MomentumUpdate', attrs as { weights?: unknown }, rows.length);
    const { learningRate, momentum, weightDecay, nesterov } =
      attrs as unknown as MomentumAttributes;
    const numbers = [learningRate, momentum, weightDecay, nesterov ? 1 : 0, ...weights];
    return runNative(
      backend,
      'MomentumUpdate',
      [...own, ...rows],
      numbers,
      own.map(shapeOf),
      spentOf(backend, own, attrs),
    );
  },
};

/** One step of Adam along the weighted sum of rows, for which no tensor is made. */
export const adamUpdate: NativeKernel = {
  name: 'AdamUpdate',
  run: ({ inputs, attrs }, backend) => {
    const own = ownInputs('AdamUpdate', inputs, ['variable', 'mean', 'square']);
    const rows = rowsOf('AdamUpdate', inputs, ['variable', 'mean', 'square']);
    const weights = weightsOf('AdamUpdate', attrs as { weights?: unknown }, rows.length);
    const given = attrs as unknown as AdamAttributes;
    const numbers = [...adamNumbers.map((name) => given[name]), ...weights];
    return runNative(
      backend,
      'AdamUpdate',
      [...own, ...rows],
      numbers,
      own.map(shapeOf),
      spentOf(backend, own, attrs),
    );
  },
};

const adamNumbers: readonly (keyof AdamAttributes)[] = [
  'learningRate',
  'beta1',
  'beta2',
  'epsilon',
  'weightDecay',
  'decoupledDecay',
  'correction1',
  'correction2',
];

function ownInputs(
  kernel: string,
  inputs: NamedTensorInfoMap,
  names: readonly string[],
): TensorInfo[] {
  const { shape } = inputOf(kernel, inputs, names[0]!);
  return names.map((name) => inputOf(kernel, inputs, name, shape));
}

/** How many of an optimizer's tensors may be overwritten: all, or none where one of them shares its data with a clone. */
function spentOf(backend: NodeBackend, own: readonly TensorInfo[], attributes: unknown): number {
  const { spent = false } = attributes as { readonly spent?: boolean };
  return spent && own.every(({ dataId }) => backend.refCount(dataId) === 1) ? own.length : 0;
}

function shapeOf({ shape }: TensorInfo): readonly number[] {
  return shape;
}
