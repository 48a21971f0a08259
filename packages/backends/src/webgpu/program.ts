import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { OwnKernel } from '../registry/own-kernel.ts';

/** A shader as TensorFlow.js's WebGPU backend takes it. */
interface BackendProgram {
  readonly outputShape: number[];
  readonly shaderKey: string;
  readonly dispatchLayout: { readonly x: number[] };
  readonly dispatch: [number, number, number];
  readonly variableNames: string[];
  readonly uniforms: string;
  readonly workgroupSize: [number, number, number];
  readonly size: boolean;
  readonly getUserCode: () => string;
}

/** The members of TensorFlow.js's WebGPU backend that the kernels use. */
export interface WebGpu {
  readonly device: { readonly limits: { readonly maxStorageBuffersPerShaderStage: number } };
  runWebGPUProgram(
    program: BackendProgram,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniforms: { readonly type: 'float32' | 'int32'; readonly data: number[] }[],
  ): TensorInfo;
  disposeData(dataId: object): boolean;
}

/** A kernel of ours for TensorFlow.js's WebGPU backend. */
export type WebGpuKernel = OwnKernel<WebGpu>;

/** Threads of a workgroup. */
export const groupSize = 256;

/** One dispatch of a shader. */
export interface Dispatch {
  /** Names the code: programs of one name have the same code where their inputs have the same names. */
  readonly name: string;
  /** The buffers that the code reads, by the names that it calls them. They are seen as flat arrays. */
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  /** Numbers that the code reads as `uniforms.name`, float32 or integers. */
  readonly numbers?: Readonly<Record<string, number>>;
  readonly integers?: Readonly<Record<string, number>>;
  /** Shape of the output, which the code writes as the flat array `result`. */
  readonly shape: readonly number[];
  /** Workgroups of {@link groupSize} threads. */
  readonly groups: number;
  /** WGSL; `main(index : i32)` runs in each thread. */
  readonly code: string;
}

/** The most tensors that one shader can read. */
export function mostInputs({ device }: WebGpu): number {
  // One of the bindings is for the output.
  return device.limits.maxStorageBuffersPerShaderStage - 1;
}

/** Adds a dispatch to the command buffer. */
export function dispatch(
  gpu: WebGpu,
  { name, inputs, numbers = {}, integers = {}, shape, groups, code }: Dispatch,
): TensorInfo {
  const size = sizeOf(shape);
  const { dataId, dtype } = gpu.runWebGPUProgram(
    {
      outputShape: [size],
      shaderKey: `multigrad ${name}`,
      dispatchLayout: { x: [0] },
      dispatch: [groups, 1, 1],
      variableNames: Object.keys(inputs),
      uniforms: [
        ...Object.keys(numbers).map((key) => `${key} : f32,`),
        ...Object.keys(integers).map((key) => `${key} : i32,`),
      ].join(' '),
      workgroupSize: [groupSize, 1, 1],
      size: true,
      getUserCode: () => code,
    },
    Object.values(inputs).map((input) => ({ ...input, shape: [sizeOf(input.shape)] })),
    'float32',
    [
      ...Object.values(numbers).map((value) => ({ type: 'float32' as const, data: [value] })),
      ...Object.values(integers).map((value) => ({ type: 'int32' as const, data: [value] })),
    ],
  );
  return { dataId, dtype, shape: [...shape] };
}

/** A tensor whose number at `index` is an expression of the inputs' numbers there. */
export function elementwise(
  gpu: WebGpu,
  given: Omit<Dispatch, 'groups' | 'code'> & {
    readonly expression: string;
    readonly functions?: string;
  },
): TensorInfo {
  const groups = Math.ceil(sizeOf(given.shape) / groupSize);
  const code = `
    ${given.functions ?? ''}
    fn main(index : i32) {
      if (index < uniforms.size) { result[index] = ${given.expression}; }
    }`;
  return dispatch(gpu, { ...given, groups, code });
}

/** Numbers in a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** WGSL of `total(x)`, the sum over the threads of a workgroup, and `largest(x)`, the largest integer. Every thread calls them. */
export const reductions: string = [
  ['total', 'f32', 'a + b'],
  ['largest', 'u32', 'max(a, b)'],
]
  .map(
    ([name, type, both]) => `
    var<workgroup> ${name}Of : array<${type}, ${groupSize}>;
    fn ${name}(x : ${type}) -> ${type} {
      workgroupBarrier();
      ${name}Of[localIndex] = x;
      workgroupBarrier();
      for (var half = ${groupSize / 2}u; half > 0u; half = half / 2u) {
        if (localIndex < half) {
          let a = ${name}Of[localIndex];
          let b = ${name}Of[localIndex + half];
          ${name}Of[localIndex] = ${both};
        }
        workgroupBarrier();
      }
      return ${name}Of[0];
    }`,
  )
  .join('');
