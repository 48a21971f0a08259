import { attention, type AttentionCall } from '@multigrad/core/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import { type Initialisation, layerInitializers } from '../weights/initialisation.ts';
import { paddingMask } from './padding-mask.ts';
import type { Shape } from './shape.ts';

/** Configuration of a {@link MultiHeadAttention}; `heads` divides `width`. */
export interface MultiHeadAttentionConfig {
  readonly name: string;
  readonly width: number;
  readonly heads: number;
  /** Whether the last input is token numbers (n × s), whose padding no query attends to. */
  readonly masked?: boolean;
  readonly seed: number;
  readonly initialisation: Initialisation;
}

interface Projection {
  readonly kernel: LayerVariable;
  readonly bias: LayerVariable;
}

type Role = 'query' | 'key' | 'value' | 'output';

/**
 * Scaled dot-product attention of several heads: queries n × t × c, keys and values from n × s × c′, result n × t × width.
 *
 * `head_h = softmax(Q_h K_hᵀ/√d) V_h`, d = width / heads; the heads side by side go through a linear map (Vaswani et al.,
 * NeurIPS 2017, https://arxiv.org/abs/1706.03762, section 3.2.2). Its inputs are one tensor (self-attention) or two; with
 * `masked`, token numbers follow, and scores of padding (token 0) are lowered by 10⁹.
 *
 * It is one kernel each way where the backend has them, else composed of matrix products.
 */
export class MultiHeadAttention extends layers.Layer {
  static readonly className: string = 'MultigradMultiHeadAttention';
  readonly #config: MultiHeadAttentionConfig;
  #projections: Record<Role, Projection> | null = null;

  constructor(config: MultiHeadAttentionConfig) {
    super({ name: config.name });
    this.#config = config;
  }

  override build(inputShape: Shape | Shape[]): void {
    const { width, seed, initialisation, masked } = this.#config;
    const all = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as Shape[];
    const shapes = masked === true ? all.slice(0, -1) : all;
    const projection = (role: Role, fanIn: number): Projection => {
      const own = layerInitializers(initialisation, fanIn, seed, `${this.name}/${role}`);
      return {
        kernel: this.addWeight(`${role}/kernel`, [fanIn, width], 'float32', own.kernelInitializer),
        bias: this.addWeight(`${role}/bias`, [width], 'float32', own.biasInitializer),
      };
    };
    const [queries, context] = [shapes[0]!.at(-1)!, shapes.at(-1)!.at(-1)!];
    this.#projections = {
      query: projection('query', queries),
      key: projection('key', context),
      value: projection('value', context),
      output: projection('output', width),
    };
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const first = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as Shape;
    return [...first.slice(0, -1), this.#config.width];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { width, heads, masked } = this.#config;
      const given = Array.isArray(inputs) ? inputs : [inputs];
      const all = masked === true ? given.slice(0, -1) : given;
      const [from, context] = [all[0]!, all.at(-1)!];
      const { query, key, value, output } = this.#projections!;
      const [q, k, v] = [project(from, query), project(context, key), project(context, value)];
      const mask = masked === true ? { mask: paddingMask(given.at(-1)!) } : {};
      const call = { q, k, v, ...mask, heads, scale: 1 / Math.sqrt(width / heads) };
      return project(attention(call) ?? composed(call), output);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#config };
  }
}

/** The same of other operations, which have second derivatives. */
function composed({ q, k, v, mask, heads, scale }: AttentionCall): tf.Tensor {
  const [count, queries, width] = q.shape as [number, number, number];
  const perHead = (x: tf.Tensor): tf.Tensor =>
    tf.transpose(tf.reshape(x, [count, x.shape[1]!, heads, width / heads]), [0, 2, 1, 3]);
  let scores: tf.Tensor = tf.matMul(tf.mul(perHead(q), scale), perHead(k), false, true);
  if (mask !== undefined) {
    const kept = tf.expandDims(tf.expandDims(mask, 1), 1);
    scores = tf.add(scores, tf.mul(tf.sub(kept, 1), 1e9));
  }
  const attended = tf.matMul(tf.softmax(scores), perHead(v));
  return tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [count, queries, width]);
}

/** `x W + b` on the last axis of n × t × c. */
function project(x: tf.Tensor, { kernel, bias }: Projection): tf.Tensor {
  const [count, length, channels] = x.shape as [number, number, number];
  const rows = tf.reshape(x, [count * length, channels]);
  const projected = tf.add(tf.matMul(rows, kernel.read() as tf.Tensor2D), bias.read());
  return tf.reshape(projected, [count, length, projected.shape[1]!]);
}
