import { lstm, type LstmCall } from '@multigrad/core/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import { type Initialisation, layerInitializers } from '../weights/initialisation.ts';
import { paddingMask } from './padding-mask.ts';
import type { Shape } from './shape.ts';

/** Configuration of an {@link Lstm}. */
export interface LstmConfig {
  readonly name: string;
  readonly units: number;
  /** `last`: the state behind the last token; `sequence`: the state behind each. */
  readonly output: 'last' | 'sequence';
  readonly seed: number;
  readonly initialisation: Initialisation;
}

/**
 * A long short-term memory over vectors x (n × t × c), given the token numbers (n × t) that say where padding stands:
 *
 * `[i, f, g, o] = x_t W + h_{t−1} U + b`, `c_t = σ(f) ⊙ c_{t−1} + σ(i) ⊙ tanh(g)`, `h_t = σ(o) ⊙ tanh(c_t)`
 *
 * (Hochreiter and Schmidhuber, Neural Computation 1997, with the forget gate of Gers et al. 2000). Where padding stands, h and
 * c stay as they were. All weights start as those of PyTorch's `LSTM`, uniform on ± 1/√units; it has two biases, whose sum
 * is one here.
 *
 * TensorFlow.js's own layer calls operations as methods of tensors, which the core package does not have.
 */
export class Lstm extends layers.Layer {
  static readonly className: string = 'MultigradLstm';
  readonly #config: LstmConfig;
  #kernel: LayerVariable | null = null;
  #recurrent: LayerVariable | null = null;
  #bias: LayerVariable | null = null;

  constructor(config: LstmConfig) {
    super({ name: config.name });
    this.#config = config;
  }

  override build(inputShape: Shape | Shape[]): void {
    const channels = (inputShape as Shape[])[0]!.at(-1)!;
    const { units, seed, initialisation } = this.#config;
    const [own, other] = (['input', 'recurrent'] as const).map((role) => {
      const fanIn = initialisation === 'pytorch' || role === 'recurrent' ? units : channels;
      return layerInitializers(initialisation, fanIn, seed, `${this.name}/${role}`);
    });
    const add = (name: string, shape: number[], initializer: typeof own) =>
      this.addWeight(name, shape, 'float32', initializer!.kernelInitializer);
    this.#kernel = add('kernel', [channels, 4 * units], own);
    this.#recurrent = add('recurrent/kernel', [units, 4 * units], other);
    this.#bias = this.addWeight('bias', [4 * units], 'float32', own!.biasInitializer);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [count, length] = (inputShape as Shape[])[0] as [number, number];
    const { units, output } = this.#config;
    return output === 'last' ? [count, units] : [count, length, units];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x, tokens] = inputs as [tf.Tensor, tf.Tensor];
      const { units, output } = this.#config;
      const [count, length, channels] = x.shape as [number, number, number];
      // One product for all steps.
      const rows = tf.matMul(tf.reshape(x, [count * length, channels]), this.#kernel!.read());
      const ahead = tf.reshape(tf.add(rows, this.#bias!.read()), [count, length, 4 * units]);
      const recurrent = this.#recurrent!.read();
      const zeros = tf.zeros([count, units]);
      const mask = paddingMask(tokens);
      const call = { sums: ahead, recurrent, h: zeros, c: zeros, mask, hard: false, output };
      const fused = lstm(call);
      if (fused === null) return composed(call);
      return output === 'last' ? tf.slice(fused, [0, 0], [count, units]) : fused;
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#config };
  }
}

/** The same of other operations, which have second derivatives. */
function composed({
  sums,
  recurrent,
  h,
  c,
  mask,
  output,
}: LstmCall & { mask: tf.Tensor }): tf.Tensor {
  const masks = tf.unstack(tf.expandDims(mask, -1), 1);
  const states = tf.unstack(sums, 1).map((step, t) => {
    const [input, forget, change, out] = tf.split(tf.add(step, tf.matMul(h, recurrent)), 4, 1);
    const next = tf.add(
      tf.mul(tf.sigmoid(forget!), c),
      tf.mul(tf.sigmoid(input!), tf.tanh(change!)),
    );
    h = moved(h, tf.mul(tf.sigmoid(out!), tf.tanh(next)), masks[t]!);
    c = moved(c, next, masks[t]!);
    return h;
  });
  return output === 'last' ? h : tf.stack(states, 1);
}

/** The new state where the mask is 1, the old one where it is 0. */
function moved(from: tf.Tensor, to: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  return tf.add(from, tf.mul(mask, tf.sub(to, from)));
}
