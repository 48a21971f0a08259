import { gradientDepth, hasKernel, runKernel } from '@multigrad/core/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

type Config = Parameters<typeof layers.conv2d>[0];

/** The options of `tf.layers.conv2d` that are supported here: channels last, no dilation. */
export interface ConvolutionConfig extends Pick<
  Config,
  'name' | 'filters' | 'kernelSize' | 'useBias' | 'kernelInitializer' | 'biasInitializer'
> {
  readonly strides?: number;
  readonly padding?: 'same' | 'valid';
  readonly activation?: 'relu';
}

/** Attributes of TensorFlow.js's kernels of convolutions. */
interface Attributes extends tf.NamedAttrMap {
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid';
  readonly activation: string;
}

/**
 * `tf.layers.conv2d`, saved and loaded as such, with another path while a network trains: convolution, bias and ReLU
 * are one kernel, and the gradient with respect to the input is computed only where something asks for it. The stock
 * layer without an activation always computes it, even at the input of a network, where nothing uses it.
 */
export function convolution(config: ConvolutionConfig): layers.Layer {
  const layer = layers.conv2d(config);
  const { strides = 1, padding = 'valid', activation = 'linear' } = config;
  const attributes: Attributes = { strides: [strides, strides], pad: padding, activation };
  layer.call = (inputs) =>
    tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0]! : inputs) as tf.Tensor4D;
      const [filter, bias] = layer.weights.map((weight) => weight.read());
      return convolve(x, filter as tf.Tensor4D, bias, attributes);
    });
  return layer;
}

function convolve(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  bias: tf.Tensor | undefined,
  attributes: Attributes,
): tf.Tensor {
  const { strides, pad, activation } = attributes;
  if (bias === undefined) {
    const y = tf.conv2d(x, filter, strides, pad);
    return activation === 'relu' ? tf.relu(y) : y;
  }
  registerFusedGradient();
  return tf.engine().runKernel(
    tf.FusedConv2D,
    { x, filter, bias },
    {
      ...attributes,
      ...{ dataFormat: 'NHWC', dilations: [1, 1] },
    },
  );
}

/** Registers the gradient of the fused kernel. TensorFlow.js has none: its own fused convolutions bring theirs along. */
function registerFusedGradient(): void {
  if ((tf.getGradient(tf.FusedConv2D) as unknown) !== undefined) return;
  tf.registerGradient({
    kernelName: tf.FusedConv2D,
    inputsToSave: ['x', 'filter'],
    outputsToSave: [true],
    gradFunc: (dy, [x, filter, y], attributes) => {
      const { strides, pad, activation } = attributes as Attributes;
      const dz = activation === 'relu' ? reluGradient(dy as tf.Tensor, y!) : (dy as tf.Tensor);
      const shared = { strides, pad, dataFormat: 'NHWC' };
      const run = (kernel: string, inputs: tf.NamedTensorMap, own: object): tf.Tensor =>
        tf.engine().runKernel(kernel, inputs, { ...shared, ...own });
      return {
        x: () => run(tf.Conv2DBackpropInput, { dy: dz, filter: filter! }, { inputShape: x!.shape }),
        filter: () =>
          run(tf.Conv2DBackpropFilter, { x: x!, dy: dz }, { filterShape: filter!.shape }),
        bias: () => tf.sum(dz, [0, 1, 2]),
      };
    },
  });
}

function reluGradient(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const byKernel = gradientDepth() === 0 && hasKernel('ReluGrad');
  return byKernel ? runKernel('ReluGrad', { dy, y })[0]! : tf.mul(dy, tf.step(y));
}
