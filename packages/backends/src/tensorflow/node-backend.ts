import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';

/** One attribute of a TensorFlow op. */
export interface OpAttribute {
  readonly name: string;
  /** One of the binding's `TF_ATTR_…` numbers. */
  readonly type: number;
  readonly value: unknown;
}

/** What the addon says of an output. */
interface OutputInfo {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** The members of the native addon that we use. */
export interface Binding {
  readonly TF_Version: string;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_FLOAT: number;
  isUsingGpuDevice(): boolean;
  /** Names of the kernels that our own builds bring; they work in the memory of the processor. */
  readonly kernels?: readonly string[];
  /** Whether `runKernel` knows of spent inputs: builds of earlier versions of multigrad do not. */
  readonly takesSpent?: boolean;
  runKernel?(
    name: string,
    inputs: readonly number[],
    numbers: Float64Array,
    outputShapes: readonly (readonly number[])[],
    /** Number of inputs, from the first, whose buffers outputs take where nobody else holds them. */
    spent?: number,
  ): OutputInfo[];
}

/** The members of `@tensorflow/tfjs-node`'s backend that we use. */
export interface NodeBackend extends KernelBackend {
  readonly binding: Binding;
  getInputTensorIds(inputs: readonly TensorInfo[]): number[];
  createOutputTensor(output: OutputInfo): TensorInfo;
  executeSingleOutput(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorInfo[],
  ): TensorInfo;
}

/** Where it is registered with TensorFlow.js, by `@tensorflow/tfjs-node` and by us. */
export const backendName = 'tensorflow';
