import { describeValue, MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { assertLabelsIfAtHand } from '../losses/labels.ts';
import { namedVariables, trainableVariables } from '../weights/network-weights.ts';
import { accuracy, softmaxCrossEntropy } from '../losses/softmax-cross-entropy.ts';

/** Whether a forward pass trains: batch statistics and dropout are in force, moving statistics follow. */
export interface ForwardMode {
  readonly training: boolean;
}

/** An objective's loss, and its accuracy beside it. */
export type MeasuredObjective = Readonly<{
  loss: tf.Scalar;
  metrics: Readonly<{ accuracy: tf.Scalar }>;
}>;

/** The parts of a {@link MultimodalNetwork}, which it owns. */
export interface NetworkParts<Modality extends string, Objective extends string> {
  /** One encoder for each modality. */
  readonly encoders: Readonly<Record<Modality, LayersModel>>;
  /** Feature vectors of all modalities, in the order of `encoders`, to one vector. */
  readonly fusion: LayersModel;
  /** Linear classifiers: the joint one on the fused features, and one on each encoder's. */
  readonly heads: Readonly<Record<Objective, LayersModel>>;
}

/**
 * A classifier of several modalities: one encoder each, a fusion with a joint head, and a head on each encoder alone.
 *
 * Its objectives are the joint one and one for each modality, named after it. Every encoder is reached by exactly two
 * of them, the setting of MMPareto. Make one with {@link multimodalNetwork}.
 *
 * @example
 * ```ts
 * import { digitEncoder, multimodalNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const size = { channels: 1, width: 2, features: 4 };
 * const encoders = {
 *   front: digitEncoder({ name: 'front', ...size }),
 *   rear: digitEncoder({ name: 'rear', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, classes: 2, jointName: 'both' });
 * const views = { front: tf.ones([1, 28, 28, 1]), rear: tf.zeros([1, 28, 28, 1]) };
 * const logits = network.forward(views, { training: false });
 * console.log(logits.both.shape, logits.rear.shape); // [ 1, 2 ] [ 1, 2 ]
 * console.log(network.namedVariables.get('head/both/kernel')?.shape); // [ 8, 2 ]
 * network.dispose();
 * ```
 */
export class MultimodalNetwork<Modality extends string, Joint extends string> {
  /** The modalities, in the order of the encoders. */
  readonly modalities: readonly Modality[];
  /** The objectives: the joint one first, then the modalities. */
  readonly objectiveNames: readonly (Joint | Modality)[];
  /** Number of classes. */
  readonly classes: number;
  /** One encoder for each modality. */
  readonly encoders: Readonly<Record<Modality, LayersModel>>;
  /** Feature vectors of all modalities to one vector. */
  readonly fusion: LayersModel;
  /** One classifier for each objective. */
  readonly heads: Readonly<Record<Joint | Modality, LayersModel>>;
  /** All parts as one model, from the modalities' inputs to the objectives' logits: for `save`, `summary`, `predict`. */
  readonly model: LayersModel;
  /** Every variable that training changes: the encoders', the fusion's, the heads'. */
  readonly trainableVariables: tf.Variable[];
  /** The encoders' trainable variables, by modality: what an engine keeps apart as named parts. */
  readonly parts: Readonly<Record<Modality, tf.Variable[]>>;
  /**
   * All weights, moving statistics included, by names that every network of the same make shares, such as
   * `gray/conv1/kernel`; a `tf.Variable`'s own name gets a suffix in a process with several networks.
   */
  readonly namedVariables: ReadonlyMap<string, tf.Variable>;
  readonly #joint: Joint;
  #disposed = false;

  constructor(joint: Joint, parts: NetworkParts<Modality, Joint | Modality>) {
    const { encoders, fusion, heads } = parts;
    this.#joint = joint;
    this.encoders = encoders;
    this.fusion = fusion;
    this.heads = heads;
    this.modalities = Object.keys(encoders) as Modality[];
    this.objectiveNames = [joint, ...this.modalities];
    this.classes = heads[joint].outputs[0]!.shape.at(-1)!;
    const all = [
      ...this.modalities.map((modality) => encoders[modality]),
      fusion,
      ...this.objectiveNames.map((objective) => heads[objective]),
    ];
    this.namedVariables = namedVariables(all);
    this.trainableVariables = all.flatMap(trainableVariables);
    this.parts = record(this.modalities, (modality) => trainableVariables(encoders[modality]));
    this.model = this.#connect();
  }

  /**
   * Each encoder's feature vectors, n × features; new tensors that belong to the caller.
   *
   * @param inputs - a batch for each modality; other keys are left aside, so a batch with its labels will do
   * @throws MultigradError `invalid-argument` for a modality that is absent or of another shape than its encoder takes
   */
  features(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    { training }: ForwardMode,
  ): Record<Modality, tf.Tensor2D> {
    for (const modality of this.modalities) this.#assertInput(modality, inputs[modality]);
    return tidyRecord(() =>
      record(this.modalities, (modality) =>
        apply(this.encoders[modality], inputs[modality], training),
      ),
    );
  }

  /**
   * Logits of each objective from the encoders' feature vectors, n × classes; new tensors that belong to the caller.
   */
  logits(
    features: Readonly<Record<Modality, tf.Tensor2D>>,
    { training }: ForwardMode,
  ): Record<Joint | Modality, tf.Tensor2D> {
    return tidyRecord(() => {
      const inOrder = this.modalities.map((modality) => features[modality]);
      const fused = apply(this.fusion, inOrder, training);
      return record(this.objectiveNames, (objective) =>
        apply(
          this.heads[objective],
          objective === this.#joint ? fused : features[objective as Modality],
          training,
        ),
      );
    });
  }

  /**
   * One forward pass: logits of each objective, n × classes; new tensors that belong to the caller.
   *
   * @throws MultigradError `invalid-argument` for a modality that is absent or of another shape than its encoder takes
   */
  forward(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    mode: ForwardMode,
  ): Record<Joint | Modality, tf.Tensor2D> {
    return tidyRecord(() => this.logits(this.features(inputs, mode), mode));
  }

  /**
   * One forward pass: each objective's mean softmax cross-entropy ({@link softmaxCrossEntropy}), as scalars that belong
   * to the caller.
   *
   * @param labels - n integers from 0 to `classes − 1`, int32
   * @param mode - training unless told otherwise
   * @throws MultigradError `invalid-data` for a label out of range on the cpu and wasm backends; on others, where
   * reading it would hold up the device, the loss is NaN
   * @throws MultigradError `invalid-argument` for inputs or labels of the wrong shape or type
   */
  losses(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    labels: tf.Tensor1D,
    mode: ForwardMode = { training: true },
  ): Record<Joint | Modality, tf.Scalar> {
    return this.#measure(() => this.forward(inputs, mode), labels, softmaxCrossEntropy);
  }

  /**
   * What {@link MultimodalNetwork.losses} returns, from feature vectors that were computed before: the part of the forward
   * pass behind the tensors at which gradients are integrated with `level: 'features'`.
   *
   * @throws MultigradError as {@link MultimodalNetwork.losses} does
   */
  lossesFromFeatures(
    features: Readonly<Record<Modality, tf.Tensor2D>>,
    labels: tf.Tensor1D,
    mode: ForwardMode = { training: true },
  ): Record<Joint | Modality, tf.Scalar> {
    return this.#measure(() => this.logits(features, mode), labels, softmaxCrossEntropy);
  }

  /**
   * One forward pass: each objective's accuracy, 0 to 1, as scalars that belong to the caller.
   *
   * @param mode - not training unless told otherwise
   * @throws MultigradError as {@link MultimodalNetwork.losses} does
   */
  metrics(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    labels: tf.Tensor1D,
    mode: ForwardMode = { training: false },
  ): Record<Joint | Modality, tf.Scalar> {
    return this.#measure(() => this.forward(inputs, mode), labels, accuracy);
  }

  /**
   * One forward pass: each objective's loss, with its accuracy (0 to 1) as a metric beside it, as a trainer takes them;
   * scalars that belong to the caller.
   *
   * @throws MultigradError as {@link MultimodalNetwork.losses} does
   */
  objectives(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    labels: tf.Tensor1D,
    mode: ForwardMode,
  ): Record<Joint | Modality, MeasuredObjective> {
    return this.#measure(
      () => this.forward(inputs, mode),
      labels,
      (logits, classes) => ({
        loss: softmaxCrossEntropy(logits, classes),
        metrics: { accuracy: accuracy(logits, classes) },
      }),
    );
  }

  /** Frees all weights. The network cannot be used afterwards; further calls do nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    // This drops the whole's reference to each part and the part's own, in a nested model the last one.
    this.model.dispose();
  }

  #measure<T extends tf.TensorContainer>(
    forward: () => Record<Joint | Modality, tf.Tensor2D>,
    labels: tf.Tensor1D,
    measure: (logits: tf.Tensor2D, labels: tf.Tensor1D) => T,
  ): Record<Joint | Modality, T> {
    assertLabelsIfAtHand(labels, this.classes);
    return tidyRecord(() => {
      const logits = forward();
      return record(this.objectiveNames, (objective) => measure(logits[objective], labels));
    });
  }

  #connect(): LayersModel {
    const inputs = record(this.modalities, (modality) =>
      input({
        name: `${modality}/input`,
        shape: this.encoders[modality].inputs[0]!.shape.slice(1),
      }),
    );
    const features = record(
      this.modalities,
      (modality) => this.encoders[modality].apply(inputs[modality]) as SymbolicTensor,
    );
    const fused = this.fusion.apply(this.modalities.map((modality) => features[modality]));
    const outputs = this.objectiveNames.map(
      (objective) =>
        this.heads[objective].apply(
          objective === this.#joint ? fused : features[objective as Modality],
        ) as SymbolicTensor,
    );
    return model({ inputs: this.modalities.map((modality) => inputs[modality]), outputs });
  }

  #assertInput(modality: Modality, value: unknown): void {
    const expected = this.encoders[modality].inputs[0]!.shape;
    const found: number[] | null = value instanceof tf.Tensor ? (value.shape as number[]) : null;
    const fits =
      found?.length === expected.length &&
      found.every((size, axis) => expected[axis] === null || expected[axis] === size);
    if (fits) return;
    const shape = expected.map((size) => size ?? 'n').join(', ');
    throw new MultigradError(
      'invalid-argument',
      `Input \`${modality}\` should be a tensor of shape [${shape}]. ` +
        `Found ${found === null ? describeValue(value) : `[${found.join(', ')}]`}.`,
    );
  }
}

function apply(part: LayersModel, inputs: tf.Tensor | tf.Tensor[], training: boolean): tf.Tensor2D {
  return part.apply(inputs, { training }) as tf.Tensor2D;
}

function record<Name extends string, Value>(
  names: readonly Name[],
  valueOf: (name: Name) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Record<Name, Value>;
}

/** `tf.tidy` for a record whose keys are known to the type checker only as a type parameter. */
function tidyRecord<Name extends string, Value extends tf.TensorContainer>(
  body: () => Record<Name, Value>,
): Record<Name, Value> {
  return tf.tidy(body);
}
