import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../use-backend.ts';

/** A call of a kernel that is right; every input is float32 unless its name says otherwise. */
interface KernelCall {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Inputs of int32, all zeros. */
  readonly indices?: readonly string[];
  readonly attributes: object;
  /** What others do not determine, an input, its `type` or one of its axes: another one is another right call. */
  readonly free?: readonly string[];
}

const window2d = { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', dilations: [1, 1] };
const window3d = { strides: [1, 1, 1], pad: 'valid', dataFormat: 'NDHWC', dilations: [1, 1, 1] };
const pool2d = { filterSize: [2, 2], strides: [1, 1], pad: 'valid' };
const pool3d = { filterSize: [2, 2, 2], strides: [1, 1, 1], pad: 'valid' };

const calls: readonly KernelCall[] = [
  {
    kernel: 'Conv2DBackpropFilter',
    inputs: { x: [2, 4, 5, 3], dy: [2, 3, 4, 2] },
    attributes: { ...window2d, filterShape: [2, 2, 3, 2] },
  },
  {
    kernel: 'Conv2DBackpropInput',
    inputs: { dy: [2, 3, 4, 2], filter: [2, 2, 3, 2] },
    attributes: { ...window2d, inputShape: [2, 4, 5, 3] },
    // Rows and columns of the gradient beyond the output's are left out, as by stock kernels.
    free: ['dy 1', 'dy 2', 'filter 0', 'filter 1'],
  },
  {
    kernel: 'MaxPoolGrad',
    inputs: { dy: [2, 3, 4, 3], input: [2, 4, 5, 3], output: [2, 3, 4, 3] },
    attributes: pool2d,
    free: ['output'],
  },
  {
    kernel: 'AvgPoolGrad',
    inputs: { dy: [2, 3, 4, 3], input: [2, 4, 5, 3] },
    attributes: pool2d,
  },
  {
    kernel: 'MaxPool3DGrad',
    inputs: { dy: [1, 2, 3, 4, 3], input: [1, 3, 4, 5, 3], output: [1, 2, 3, 4, 3] },
    attributes: pool3d,
    free: ['output'],
  },
  {
    kernel: 'AvgPool3DGrad',
    inputs: { dy: [1, 2, 3, 4, 3], input: [1, 3, 4, 5, 3] },
    attributes: pool3d,
  },
  {
    kernel: 'ResizeNearestNeighborGrad',
    inputs: { images: [2, 3, 3, 2], dy: [2, 5, 5, 2] },
    attributes: { alignCorners: false, halfPixelCenters: false },
    free: ['images 1', 'images 2', 'dy 1', 'dy 2'],
  },
  {
    kernel: 'UnsortedSegmentSum',
    inputs: { x: [4, 3], segmentIds: [4] },
    indices: ['segmentIds'],
    attributes: { numSegments: 2 },
    free: ['x 1', 'x type'],
  },
];

/** Those that wasm has from us alone, or that read memory in place. */
const wasmCalls: readonly KernelCall[] = [
  {
    kernel: 'Conv2D',
    inputs: { x: [2, 4, 5, 3], filter: [2, 2, 3, 2] },
    attributes: window2d,
    free: ['x 0', 'x 1', 'x 2', 'filter 0', 'filter 1', 'filter 3'],
  },
  {
    kernel: 'FusedConv2D',
    inputs: { x: [2, 4, 5, 3], filter: [2, 2, 3, 2], bias: [2] },
    attributes: { ...window2d, activation: 'relu' },
    free: ['x 0', 'x 1', 'x 2', 'filter 0', 'filter 1'],
  },
  {
    kernel: 'DepthwiseConv2dNativeBackpropFilter',
    inputs: { x: [2, 4, 5, 3], dy: [2, 3, 4, 6] },
    attributes: { ...window2d, filterShape: [2, 2, 3, 2] },
  },
  {
    kernel: 'DepthwiseConv2dNativeBackpropInput',
    inputs: { dy: [2, 3, 4, 6], filter: [2, 2, 3, 2] },
    attributes: { ...window2d, inputShape: [2, 4, 5, 3] },
  },
  {
    kernel: 'Conv3DBackpropFilterV2',
    inputs: { x: [1, 3, 4, 5, 3], dy: [1, 2, 3, 4, 2] },
    attributes: { ...window3d, filterShape: [2, 2, 2, 3, 2] },
  },
  {
    kernel: 'Conv3DBackpropInputV2',
    inputs: { dy: [1, 2, 3, 4, 2], filter: [2, 2, 2, 3, 2] },
    attributes: { ...window3d, inputShape: [1, 3, 4, 5, 3] },
  },
  {
    kernel: 'Dilation2DBackpropInput',
    inputs: { x: [1, 4, 5, 3], filter: [2, 2, 3], dy: [1, 3, 4, 3] },
    attributes: { strides: [1, 1], pad: 'valid', dilations: [1, 1] },
  },
  {
    kernel: 'Dilation2DBackpropFilter',
    inputs: { x: [1, 4, 5, 3], filter: [2, 2, 3], dy: [1, 3, 4, 3] },
    attributes: { strides: [1, 1], pad: 'valid', dilations: [1, 1] },
  },
  {
    kernel: 'Dilation2D',
    inputs: { x: [1, 4, 5, 3], filter: [2, 2, 3] },
    attributes: { strides: [1, 1], pad: 'valid', dilations: [1, 1] },
    free: ['x 0', 'x 1', 'x 2', 'filter 0', 'filter 1'],
  },
  {
    kernel: 'GatherV2',
    inputs: { x: [2, 4, 3], indices: [2, 3] },
    indices: ['indices'],
    attributes: { axis: 1, batchDims: 1 },
    // Batches that differ are refused by TensorFlow.js, with its own message.
    free: ['x 0', 'x 1', 'x 2', 'x type', 'indices 0', 'indices 1'],
  },
];

interface Mutation {
  readonly what: string;
  readonly input: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}

/** The call with one input of another type, or longer by one along one axis. */
function mutationsOf({ inputs, indices = [], free = [] }: KernelCall): Mutation[] {
  return Object.entries(inputs).flatMap(([input, shape]): Mutation[] => {
    if (free.includes(input)) return [];
    const dtype = indices.includes(input) ? 'int32' : 'float32';
    const other = dtype === 'int32' ? 'float32' : 'int32';
    const ofOther: Mutation = { what: `\`${input}\` of ${other}`, input, shape, dtype: other };
    return [
      ...(free.includes(`${input} type`) ? [] : [ofOther]),
      ...shape
        .map((length, axis) => ({ axis, shape: shape.with(axis, length + 1) }))
        .filter(({ axis }) => !free.includes(`${input} ${axis}`))
        .map(({ shape: longer }): Mutation => ({
          what: `\`${input}\` of [${String(longer)}]`,
          input,
          shape: longer,
          dtype,
        })),
    ];
  });
}

function run({ kernel, inputs, indices = [], attributes }: KernelCall, mutation?: Mutation): void {
  const typeOf = (name: string): tf.DataType => (indices.includes(name) ? 'int32' : 'float32');
  tf.tidy(() => {
    const tensors = Object.entries(inputs).map(([name, own]) => {
      const { shape, dtype } =
        mutation?.input === name ? mutation : { shape: own, dtype: typeOf(name) };
      return [name, tf.zeros([...shape], dtype)] as const;
    });
    tf.engine().runKernel(kernel, Object.fromEntries(tensors), attributes as object as never);
  });
}

const cases = testedBackends()
  .filter((backend) => backend !== 'tensorflow')
  .flatMap((backend) =>
    [...calls, ...(backend === 'wasm' ? wasmCalls : [])].flatMap((call) =>
      mutationsOf(call).map(
        (mutation) => [backend, call.kernel, mutation.what, call, mutation] as const,
      ),
    ),
  );

describe.runIf(cases.length > 0)('a kernel that is handed what it was not made for', () => {
  beforeAll(async () => {
    for (const [backend] of cases) await useBackend(backend);
  });

  it.each(cases)('on %s, %s refuses %s', async (backend, kernel, _, call, mutation) => {
    await tf.setBackend(backend);
    await expectConstantMemory(() => {
      run(call);
      expect(() => run(call, mutation)).toThrow(kernel);
    });
  });
});

const window = { strides: 1, pad: 'same' } as const;

/** Calls of fused operations with an activation. */
const fusedCalls: Readonly<Record<string, (activation: never) => tf.Tensor>> = {
  _FusedMatMul: (activation) =>
    tf.fused.matMul({ a: tf.ones([2, 3]), b: tf.ones([3, 2]), activation }),
  FusedConv2D: (activation) =>
    tf.fused.conv2d({ x: image(), filter: tf.ones([2, 2, 2, 3]), ...window, activation }),
  FusedDepthwiseConv2D: (activation) =>
    tf.fused.depthwiseConv2d({ x: image(), filter: tf.ones([2, 2, 2, 1]), ...window, activation }),
};

const image = (): tf.Tensor4D => tf.ones([1, 4, 4, 2]);

describe.each(testedBackends().filter((backend) => ['cpu', 'wasm'].includes(backend)))(
  'fused operations on %s',
  (backend) => {
    beforeAll(async () => {
      await useBackend(backend);
    });

    // An object has `constructor` and `toString` from its prototype: stock wasm takes both for known activations.
    it.each(['swish', 'constructor', 'toString'])(
      'refuse the activation %s',
      async (activation) => {
        await tf.setBackend(backend);
        for (const [kernel, call] of Object.entries(fusedCalls)) {
          await expectConstantMemory(() => {
            expect(() => tf.tidy(() => void call(activation as never).dataSync())).toThrow(
              `Kernel ${kernel} should get one of the activations linear, relu, relu6, elu, sigmoid, leakyrelu, prelu. Found "${activation}".`,
            );
          });
        }
      },
    );
  },
);
