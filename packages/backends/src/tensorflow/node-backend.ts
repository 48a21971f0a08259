import type { DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';

/** One attribute of a TensorFlow op. */
export interface OpAttribute {
  readonly name: string;
  /** The type of the attribute: one of the binding's `TF_ATTR_…` numbers. */
  readonly type: number;
  readonly value: unknown;
}

/** An output tensor as the addon describes it. */
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
  /** Names of the kernels that our own builds add; they work in the memory of the processor. */
  readonly kernels?: readonly string[];
  /** Whether `runKernel` takes the argument `spent`: that of builds of earlier versions of multigrad does not. */
  readonly takesSpent?: boolean;
  runKernel?(
    name: string,
    inputs: readonly number[],
    numbers: Float64Array,
    outputShapes: readonly (readonly number[])[],
    /** How many of the first inputs are not needed any more: outputs use their buffers where nothing else holds them. */
    spent?: number,
  ): OutputInfo[];
  /** The id of a tensor with the same buffer in another shape. */
  reshape?(id: number, shape: readonly number[]): number;
}

/** The members of `@tensorflow/tfjs-node`'s backend that we use. */
export interface NodeBackend extends KernelBackend {
  readonly binding: Binding;
  /** The binding's number of a type. */
  getDTypeInteger(dtype: DataType): number;
  getInputTensorIds(inputs: readonly TensorInfo[]): number[];
  createOutputTensor(output: OutputInfo): TensorInfo;
  executeSingleOutput(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorInfo[],
  ): TensorInfo;
}

/** The name under which `@tensorflow/tfjs-node` and we register the backend with TensorFlow.js. */
export const backendName = 'tensorflow';
