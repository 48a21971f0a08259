import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';

/** One attribute of a TensorFlow op. */
export interface OpAttribute {
  readonly name: string;
  /** One of the binding's `TF_ATTR_…` numbers. */
  readonly type: number;
  readonly value: unknown;
}

/** The members of the native addon that we use. */
export interface Binding {
  readonly TF_Version: string;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  isUsingGpuDevice(): boolean;
}

/** The members of `@tensorflow/tfjs-node`'s backend that we use. */
export interface NodeBackend extends KernelBackend {
  readonly binding: Binding;
  executeSingleOutput(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorInfo[],
  ): TensorInfo;
  executeMultipleOutputs(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorInfo[],
    count: number,
  ): TensorInfo[];
}

/** Where it is registered with TensorFlow.js, by `@tensorflow/tfjs-node` and by us. */
export const backendName = 'tensorflow';
