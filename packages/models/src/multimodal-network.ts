import { describeValue, MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { assertLabelsIfAtHand } from './labels.ts';
import { namedVariables, trainableVariables } from './network-weights.ts';
import { accuracy, softmaxCrossEntropy } from './softmax-cross-entropy.ts';

/** Whether a forward pass trains: batch statistics and dropout are in force, moving statistics follow. */
export interface ForwardMode {
  readonly training: boolean;
}

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
 */
export class MultimodalNetwork<Modality extends string, Joint extends string> {
  /** The modalities, in the order of the encoders. */
  readonly modalities: readonly Modality[];
  /** The objectives: the joint one first, then the modalities. */
  readonly objectives: readonly (Joint | Modality)[];
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
    this.objectives = [joint, ...this.modalities];
    this.classes = heads[joint].outputs[0]!.shape.at(-1)!;
    const all = [
      ...this.modalities.map((modality) => encoders[modality]),
      fusion,
      ...this.objectives.map((objective) => heads[objective]),
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
      return record(this.objectives, (objective) =>
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
    return this.#measure(inputs, labels, mode, softmaxCrossEntropy);
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
    return this.#measure(inputs, labels, mode, accuracy);
  }

  /**
   * One forward pass: each objective's loss, and its accuracy as a metric beside it; scalars that belong to the caller.
   *
   * @throws MultigradError as {@link MultimodalNetwork.losses} does
   */
  evaluate(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    labels: tf.Tensor1D,
    mode: ForwardMode,
  ): Record<Joint | Modality, { loss: tf.Scalar; metrics: { accuracy: tf.Scalar } }> {
    return this.#measure(inputs, labels, mode, (logits, classes) => ({
      loss: softmaxCrossEntropy(logits, classes),
      metrics: { accuracy: accuracy(logits, classes) },
    }));
  }

  /** Frees all weights. The network cannot be used afterwards; further calls do nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    // The whole holds one reference to each part; the part's own is the last.
    this.model.dispose();
    for (const part of this.#allParts()) part.dispose();
  }

  #allParts(): LayersModel[] {
    return [
      ...this.modalities.map((modality) => this.encoders[modality]),
      this.fusion,
      ...this.objectives.map((objective) => this.heads[objective]),
    ];
  }

  #measure<T extends tf.TensorContainer>(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    labels: tf.Tensor1D,
    mode: ForwardMode,
    measure: (logits: tf.Tensor2D, labels: tf.Tensor1D) => T,
  ): Record<Joint | Modality, T> {
    assertLabelsIfAtHand(labels, this.classes);
    return tidyRecord(() => {
      const logits = this.forward(inputs, mode);
      return record(this.objectives, (objective) => measure(logits[objective], labels));
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
    const outputs = this.objectives.map(
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
  return tf.tidy(body as () => Record<string, Value>) as Record<Name, Value>;
}
