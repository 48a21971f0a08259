import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { Shape } from './shape.ts';

/** Frames as samples of their own: n × f × h × w × c → n·f × h × w × c. */
export class FoldFrames extends layers.Layer {
  static readonly className: string = 'MultigradFoldFrames';

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [null, ...(inputShape as Shape).slice(2)];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    return tf.reshape(x, [x.shape[0] * x.shape[1]!, ...x.shape.slice(2)]);
  }
}

/** Undoes {@link FoldFrames}: n·f × h × w × c → n × f × h × w × c. */
export class UnfoldFrames extends layers.Layer {
  static readonly className: string = 'MultigradUnfoldFrames';
  readonly #frames: number;

  constructor(config: { readonly name: string; readonly frames: number }) {
    super({ name: config.name });
    this.#frames = config.frames;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [null, this.#frames, ...(inputShape as Shape).slice(1)];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    return tf.reshape(x, [x.shape[0] / this.#frames, this.#frames, ...x.shape.slice(1)]);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), frames: this.#frames };
  }
}
