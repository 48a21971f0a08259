import { MultigradError } from '@multigrad/core/strategy';
import { type DataType, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { type RawTensor, rawTensor, toNumbers } from './safetensors/index.ts';

const dtypes = { float32: 'F32', int32: 'I32', bool: 'BOOL' } as const;

/**
 * A tensor of TensorFlow.js as a safetensors file holds it.
 *
 * @throws MultigradError `unsupported` for strings and complex numbers
 *
 * @example
 * ```ts
 * import { fromTensor } from '@multigrad/checkpoint';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * console.log((await fromTensor(tf.tensor1d([1, 2]))).dtype); // F32
 * ```
 */
export async function fromTensor(value: Tensor): Promise<RawTensor> {
  const { dtype, shape } = value;
  if (!(dtype in dtypes)) {
    throw new MultigradError(
      'unsupported',
      `Tensors of type ${dtype} cannot be kept in safetensors files.`,
    );
  }
  // A copy: some backends hand out what they compute with.
  const data = (await value.data()).slice();
  return rawTensor(dtypes[dtype as keyof typeof dtypes], shape, data);
}

/**
 * The TensorFlow.js tensor of what a safetensors file holds; it is the caller's.
 *
 * @throws MultigradError `unsupported` for types that TensorFlow.js has not
 *
 * @example
 * ```ts
 * import { float32Tensor, toTensor } from '@multigrad/checkpoint';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * console.log(toTensor(float32Tensor([2], [1, 2])).dtype); // float32
 * ```
 */
export function toTensor(raw: RawTensor): Tensor {
  const found = Object.entries(dtypes).find(([, dtype]) => dtype === raw.dtype);
  if (found === undefined) {
    throw new MultigradError(
      'unsupported',
      `TensorFlow.js should hold elements of type ${Object.values(dtypes).join(', ')}. Found ${raw.dtype}.`,
    );
  }
  const values = toNumbers(raw) as Float32Array | Int32Array | Uint8Array;
  return tensor(values, [...raw.shape], found[0] as DataType);
}
