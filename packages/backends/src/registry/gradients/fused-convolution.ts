import { backend_util, engine, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core';
import { byFilter, byInput, conv2d, type Convolution, depthwiseConv2d } from './convolution.ts';
import type { Attributes } from './gradient.ts';

/** The members of TensorFlow.js's engine that are replaced here. */
interface FusingEngine {
  runKernel(name: string, inputs: NamedTensorMap, attributes?: object): unknown;
  customGrad(f: Fused): (...inputs: Tensor[]) => Tensor;
}

/** The function that `tf.customGrad` takes. Its last argument is a function that saves tensors for the gradient. */
type Fused = (...inputs: unknown[]) => { value: Tensor; gradFunc: FusedGradient };

type FusedGradient = (dy: Tensor, saved: Tensor[]) => Tensor | Tensor[];

/** A dilated convolution, fused with bias and activation. */
interface DilatedCall {
  readonly convolution: Convolution;
  readonly attributes: Attributes & { readonly activation: backend_util.Activation };
}

const fused: ReadonlyMap<string, Convolution> = new Map([
  ['FusedConv2D', conv2d],
  ['FusedDepthwiseConv2D', depthwiseConv2d],
]);

const mended = new WeakSet<object>();

/**
 * Mends the gradient of dilated convolutions that are fused with bias and activation. The one that `tf.fused.conv2d` and
 * `tf.layers.conv2d` pass to `tf.customGrad` throws. The engine's `runKernel` and `customGrad` are replaced: where such a
 * convolution was computed, they put our gradient in its place.
 */
export function mendFusedConvolutions(): void {
  const each = engine() as unknown as FusingEngine;
  if (mended.has(each)) return;
  mended.add(each);
  const [runKernel, customGrad] = [each.runKernel.bind(each), each.customGrad.bind(each)];
  let dilated: DilatedCall | null = null;
  each.runKernel = (name, inputs, attributes) => {
    const convolution = fused.get(name);
    if (convolution !== undefined && isDilated(attributes)) {
      dilated = { convolution, attributes: attributes as DilatedCall['attributes'] };
    }
    return runKernel(name, inputs, attributes);
  };
  each.customGrad = (f) =>
    customGrad((...inputs) => {
      dilated = null;
      const result = f(...inputs);
      const call = dilated as DilatedCall | null;
      dilated = null;
      return call === null ? result : { ...result, gradFunc: gradientOf(call) };
    });
}

function isDilated(attributes: object | undefined): boolean {
  const { dilations } = (attributes ?? {}) as { readonly dilations?: number | number[] | null };
  return [dilations ?? 1].flat().some((rate) => rate !== 1);
}

/** The gradient of a call. The operation saves filter, input, output and, where there is one, bias. */
function gradientOf({ convolution, attributes }: DilatedCall): FusedGradient {
  return (dy, [filter, x, y, bias]) => {
    const gradient = backend_util.getFusedDyActivation(dy, y!, attributes.activation);
    return [
      byInput(convolution, gradient, filter!, x!.shape, attributes),
      byFilter(convolution, x!, gradient, filter!.shape, attributes),
      ...(bias === undefined ? [] : [backend_util.getFusedBiasGradient(bias, gradient)]),
    ];
  };
}
