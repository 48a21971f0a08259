import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { OwnKernel } from '../registry/own-kernel.ts';

/** The members of TensorFlow.js's cpu backend that the kernels use. */
export interface CpuBackend {
  readonly data: { get(dataId: TensorInfo['dataId']): { readonly values: Float32Array } };
  makeTensorInfo(
    shape: number[],
    dtype: 'float32' | 'int32',
    values: Float32Array | Int32Array,
  ): TensorInfo;
}

/** A kernel of ours for the cpu backend. */
export type CpuKernel = OwnKernel<CpuBackend>;

/** A tensor's values in the backend's memory, not a copy. */
export function valuesOf(backend: CpuBackend, { dataId }: TensorInfo): Float32Array {
  return backend.data.get(dataId).values;
}

/** A new float32 tensor that holds the values. A Float32Array is not copied: it belongs to the tensor then. */
export function tensorOf(
  backend: CpuBackend,
  shape: readonly number[],
  values: Float32Array | Float64Array,
): TensorInfo {
  return backend.makeTensorInfo(
    [...shape],
    'float32',
    values instanceof Float32Array ? values : new Float32Array(values),
  );
}
