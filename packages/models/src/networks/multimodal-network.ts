import { MultigradError, own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type layers,
  type LayersModel,
  model,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import type { Connected, StreamGate, Streams } from '../exchanges/exchange.ts';
import { type GateChange, gateValues } from '../layers/channel-gate.ts';
import { hasLabels } from '../losses/labels.ts';
import {
  namedVariables,
  trainableVariables,
  variablesBehind,
  variablesOf,
  weightsBeyond,
} from '../weights/network-weights.ts';
import { accuracy, labelCount, softmaxCrossEntropy } from '../losses/softmax-cross-entropy.ts';
import { apply, assertInput, type ForwardMode, record, tidyRecord } from './parts.ts';

/** An objective's loss, and its accuracy beside it. */
export type MeasuredObjective = Readonly<{
  loss: tf.Scalar;
  metrics: Readonly<{ accuracy: tf.Scalar }>;
  /** Number of labels over which both are means. */
  samples: tf.Scalar;
}>;

/** The parts of a {@link MultimodalNetwork}, which it owns. */
export interface NetworkParts<Modality extends string, Objective extends string> {
  /** One encoder for each modality. */
  readonly encoders: Readonly<Record<Modality, LayersModel>>;
  /** Applies the encoders to symbolic inputs: side by side, or with exchanges between their stages. */
  readonly connect: (inputs: Streams) => Connected;
  /** For each modality the layer that makes a vector of its features, or null where they are one. */
  readonly pools: Readonly<Record<Modality, layers.Layer | null>>;
  /** Model from the features of all modalities, in the order of `encoders`, to one vector. */
  readonly fusion: LayersModel;
  /** Whether the fusion takes features as they are, not the vectors made of them. */
  readonly fusesMaps: boolean;
  /**
   * Layer from one vector of each modality to the same with learnt tokens in the place of those that are dropped, before
   * the fusion; absent without modality dropout.
   */
  readonly tokens?: layers.Layer;
  /** Linear classifiers: the joint one on the fused vector, and one on each modality's. */
  readonly heads: Readonly<Record<Objective, LayersModel>>;
}

/** A gate on an encoder's channels, opened by what all encoders say. */
export interface NetworkGate<Modality extends string = string> {
  /** Its name, such as `exchange1/image/gate`. */
  readonly name: string;
  /** The modality whose channels it scales. */
  readonly modality: Modality;
  /** The trainable variables that serve this gate alone. */
  readonly own: readonly tf.Variable[];
  /** The trainable variables that serve all gates of its place. */
  readonly shared: readonly tf.Variable[];
}

/**
 * Class labels of a batch, n integers, int32, −1 where a label is missing: the same for all objectives, or each
 * objective's own. An objective left out, or with no label in the batch, is left out of what is measured.
 */
export type BatchLabels<Objective extends string> =
  tf.Tensor1D | Readonly<Partial<Record<Objective, tf.Tensor1D>>>;

/** A value for each objective: for all if they have the same labels, else for those with a label in the batch. */
export type Measured<Labels, Objective extends string, Value> = Labels extends tf.Tensor
  ? Record<Objective, Value>
  : Partial<Record<Objective, Value>>;

/**
 * A classifier of several modalities: one encoder each, a fusion with a joint head, and a head on each encoder alone.
 *
 * Its objectives are the joint one and one for each modality, named after it. Every encoder is reached by exactly two
 * of them, the setting of MMPareto; with an exchange between stages, by all of them. Make one with
 * {@link multimodalNetwork}.
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
  /** Model from the features of all modalities to one vector. */
  readonly fusion: LayersModel;
  /** One classifier for each objective. */
  readonly heads: Readonly<Record<Joint | Modality, LayersModel>>;
  /** All parts as one model, from the modalities' inputs to the objectives' logits: for `save`, `summary`, `predict`. */
  readonly model: LayersModel;
  /** Every variable that training changes: the encoders', the exchanges', the fusion's, the heads'. */
  readonly trainableVariables: tf.Variable[];
  /** The encoders' trainable variables, by modality, as named parts for grouping. */
  readonly parts: Readonly<Record<Modality, tf.Variable[]>>;
  /**
   * All weights, moving statistics included, by names that every network of the same make shares, such as
   * `gray/conv1/kernel`; a `tf.Variable`'s own name gets a suffix in a process with several networks.
   */
  readonly namedVariables: ReadonlyMap<string, tf.Variable>;
  /** The gates between the encoders' stages that an `mmtm` exchange has, in their order; empty without one. */
  readonly gates: readonly NetworkGate<Modality>[];
  /**
   * The learnt vectors that stand in the place of a modality's features where it is dropped or not seen, in the order of the
   * modalities; empty without modality dropout.
   */
  readonly tokens: readonly tf.Variable[];
  readonly #joint: Joint;
  readonly #pools: Readonly<Record<Modality, layers.Layer | null>>;
  readonly #fusesMaps: boolean;
  readonly #tokens: layers.Layer | null;
  readonly #backbone: LayersModel;
  /** The encoders, with the gates' excitations as further outputs; null where there are no gates. */
  readonly #gated: LayersModel | null;

  constructor(joint: Joint, parts: NetworkParts<Modality, Joint | Modality>) {
    const { encoders, fusion, heads } = parts;
    this.#joint = joint;
    this.#pools = parts.pools;
    this.#fusesMaps = parts.fusesMaps;
    this.#tokens = parts.tokens ?? null;
    this.encoders = encoders;
    this.fusion = fusion;
    this.heads = heads;
    this.modalities = Object.keys(encoders) as Modality[];
    this.objectiveNames = [joint, ...this.modalities];
    this.classes = heads[joint].outputs[0]!.shape.at(-1)!;
    const inputs = record(this.modalities, (modality) =>
      input({ name: `${modality}/input`, shape: encoders[modality].inputs[0]!.shape.slice(1) }),
    );
    const { streams, gates } = parts.connect(inputs);
    const features = streams as Record<Modality, SymbolicTensor>;
    const inOrder = this.modalities.map((modality) => inputs[modality]);
    const outputs = this.modalities.map((modality) => features[modality]);
    this.#backbone = model({ inputs: inOrder, outputs });
    const excitations = gates.map(({ excitation }) => excitation);
    this.#gated =
      gates.length === 0 ? null : model({ inputs: inOrder, outputs: [...outputs, ...excitations] });
    this.gates = gates.map((gate) => networkGate<Modality>(gate));
    this.model = model({ inputs: inOrder, outputs: this.#outputs(features) });
    const encoded = this.modalities.map((modality) => encoders[modality]);
    const tokens = this.#tokens === null ? [] : [this.#tokens];
    this.tokens = tokens.flatMap(trainableVariables);
    const behind = [...tokens, fusion, ...this.objectiveNames.map((objective) => heads[objective])];
    const exchanged = weightsBeyond(this.#backbone, encoded);
    this.namedVariables = namedVariables([...encoded, { weights: exchanged }, ...behind]);
    this.trainableVariables = [
      ...encoded.flatMap(trainableVariables),
      ...variablesOf(exchanged.filter(({ trainable }) => trainable)),
      ...behind.flatMap(trainableVariables),
    ];
    this.parts = record(this.modalities, (modality) => trainableVariables(encoders[modality]));
  }

  /**
   * Each encoder's features, n × features (or n × … × channels of an encoder that does not pool); new tensors that belong
   * to the caller.
   *
   * @param inputs - a batch for each modality; other keys are left aside, so a batch with its labels will do
   * @throws MultigradError `invalid-argument` for a modality that is absent or of another shape than its encoder takes
   */
  features(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    mode: ForwardMode,
  ): Record<Modality, tf.Tensor> {
    this.#checkInputs(inputs);
    return tidyRecord(() => {
      const features = this.#backbone.apply(this.#inOrder(inputs), { ...mode }) as tf.Tensor[];
      return record(this.modalities, (modality) => features[this.modalities.indexOf(modality)]!);
    });
  }

  /**
   * Like {@link MultimodalNetwork.features}, of a network whose gates are opened as `change` says; for each gate, by name,
   * also what it found itself, n × channels, each from 0 to 2. `change` runs once for each gate, within a `tf.tidy`.
   *
   * @throws MultigradError as {@link MultimodalNetwork.features} does; `unsupported` for a network without gates
   */
  gatedFeatures(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    mode: ForwardMode,
    change: GateChange,
  ): { features: Record<Modality, tf.Tensor>; gates: Record<string, tf.Tensor2D> } {
    this.#checkInputs(inputs);
    const gated = this.#gated;
    if (gated === null) {
      throw new MultigradError(
        'unsupported',
        "`gatedFeatures` needs gates between the encoders: the exchange 'mmtm'. Found a network without gates.",
      );
    }
    return tf.tidy(() => {
      const outputs = gated.apply(this.#inOrder(inputs), { ...mode, gate: change }) as tf.Tensor[];
      const values = outputs.slice(this.modalities.length) as tf.Tensor2D[];
      const named = this.gates.map(({ name }, k) => [name, gateValues(values[k]!)] as const);
      return {
        features: record(this.modalities, (m) => outputs[this.modalities.indexOf(m)]!),
        gates: Object.fromEntries(named),
      };
    });
  }

  /**
   * The encoders' features as vectors, n × length: those that are none are averaged over everything but their channels.
   */
  vectors(features: Readonly<Record<Modality, tf.Tensor>>): Record<Modality, tf.Tensor2D> {
    return record(this.modalities, (modality) => {
      const pool = this.#pools[modality];
      const vector = pool === null ? features[modality] : pool.apply(features[modality]);
      return vector as tf.Tensor2D;
    });
  }

  /**
   * Logits of each objective from the encoders' features, n × classes; new tensors that belong to the caller.
   */
  logits(
    features: Readonly<Record<Modality, tf.Tensor>>,
    mode: ForwardMode,
  ): Record<Joint | Modality, tf.Tensor2D> {
    return tidyRecord(() => {
      const vectors = this.vectors(features);
      const fused = this.#fused(this.#fusesMaps ? features : vectors, mode);
      return record(this.objectiveNames, (objective) => {
        const from = objective === this.#joint ? fused : vectors[objective as Modality];
        return apply(this.heads[objective], from, mode) as tf.Tensor2D;
      });
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
   * The joint logits in inference where only some modalities are seen, n × classes; a new tensor that belongs to the
   * caller. The learnt token stands in the place of each other one: what its input is has no influence.
   *
   * @param inputs - a batch for each modality, also for those that are not seen
   * @param seen - the modalities that are seen, none to all. @defaultValue all
   * @throws MultigradError `unsupported` where one is left out of a network without tokens; `invalid-argument` for a name
   * that is no modality, and as {@link MultimodalNetwork.forward} does
   */
  predict(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    seen: readonly string[] = this.modalities,
  ): tf.Tensor2D {
    this.#checkSeen(seen);
    return tf.tidy(() => {
      const mode = { training: false };
      const features = this.features(inputs, mode);
      const taken = this.#fusesMaps ? features : this.vectors(features);
      return apply(this.heads[this.#joint], this.#fused(taken, { ...mode, seen }), mode);
    }) as tf.Tensor2D;
  }

  /**
   * One forward pass: each objective's mean softmax cross-entropy ({@link softmaxCrossEntropy}), as scalars that belong
   * to the caller.
   *
   * @param labels - n integers from 0 to `classes − 1`, −1 where one is missing, int32: for all objectives, or by
   * objective
   * @param mode - training unless told otherwise
   * @throws MultigradError `invalid-data` for a label out of range on the cpu and wasm backends; on others, where
   * reading it would hold up the device, the loss is NaN; likewise for labels that are the same for all and all missing
   * @throws MultigradError `invalid-argument` for inputs or labels of the wrong shape or type
   */
  losses<Labels extends BatchLabels<Joint | Modality>>(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    labels: Labels,
    mode: ForwardMode = { training: true },
  ): Measured<Labels, Joint | Modality, tf.Scalar> {
    return this.#measure(() => this.forward(inputs, mode), labels, softmaxCrossEntropy);
  }

  /**
   * Like {@link MultimodalNetwork.losses}, from feature vectors that were computed before: the part of the forward pass
   * behind the tensors at which gradients are integrated with `level: 'features'`.
   *
   * @throws MultigradError as {@link MultimodalNetwork.losses} does
   */
  lossesFromFeatures<Labels extends BatchLabels<Joint | Modality>>(
    features: Readonly<Record<Modality, tf.Tensor>>,
    labels: Labels,
    mode: ForwardMode = { training: true },
  ): Measured<Labels, Joint | Modality, tf.Scalar> {
    return this.#measure(() => this.logits(features, mode), labels, softmaxCrossEntropy);
  }

  /**
   * One forward pass: each objective's accuracy, 0 to 1, as scalars that belong to the caller.
   *
   * @param mode - not training unless told otherwise
   * @throws MultigradError as {@link MultimodalNetwork.losses} does
   */
  metrics<Labels extends BatchLabels<Joint | Modality>>(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    labels: Labels,
    mode: ForwardMode = { training: false },
  ): Measured<Labels, Joint | Modality, tf.Scalar> {
    return this.#measure(() => this.forward(inputs, mode), labels, accuracy);
  }

  /**
   * One forward pass: each objective's loss, with its accuracy (0 to 1) as a metric beside it, as a trainer takes them;
   * scalars that belong to the caller.
   *
   * @throws MultigradError as {@link MultimodalNetwork.losses} does
   */
  objectives<Labels extends BatchLabels<Joint | Modality>>(
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    labels: Labels,
    mode: ForwardMode,
  ): Measured<Labels, Joint | Modality, MeasuredObjective> {
    return this.#measure(() => this.forward(inputs, mode), labels, measured);
  }

  /**
   * Like {@link MultimodalNetwork.objectives}, from features that were computed before.
   *
   * @throws MultigradError as {@link MultimodalNetwork.losses} does
   */
  objectivesFromFeatures<Labels extends BatchLabels<Joint | Modality>>(
    features: Readonly<Record<Modality, tf.Tensor>>,
    labels: Labels,
    mode: ForwardMode,
  ): Measured<Labels, Joint | Modality, MeasuredObjective> {
    return this.#measure(() => this.logits(features, mode), labels, measured);
  }

  /**
   * Like {@link MultimodalNetwork.objectives}, from logits that were computed before.
   *
   * @throws MultigradError as {@link MultimodalNetwork.losses} does
   */
  objectivesFromLogits<Labels extends BatchLabels<Joint | Modality>>(
    logits: Readonly<Record<Joint | Modality, tf.Tensor2D>>,
    labels: Labels,
  ): Measured<Labels, Joint | Modality, MeasuredObjective> {
    return this.#measure(() => logits, labels, measured);
  }

  /**
   * The trainable variables that one objective reaches: a single-modality baseline trains them with this objective's
   * loss alone (for the joint objective, the network without unimodal heads).
   */
  variablesOf(objective: Joint | Modality): tf.Variable[] {
    return variablesBehind(this.model.outputs[this.objectiveNames.indexOf(objective)]!);
  }

  /** Frees all weights. The network cannot be used afterwards; further calls do nothing. */
  dispose(): void {
    for (const variable of this.namedVariables.values()) variable.dispose();
  }

  #checkInputs(inputs: Readonly<Record<Modality, tf.Tensor>>): void {
    for (const modality of this.modalities) {
      const { shape } = this.encoders[modality].inputs[0]!;
      assertInput(`Input \`${modality}\``, shape, inputs[modality]);
    }
  }

  #checkSeen(seen: readonly string[]): void {
    const modalities: readonly string[] = this.modalities;
    const unknown = seen.find((name) => !modalities.includes(name));
    if (unknown !== undefined) {
      throw new MultigradError(
        'invalid-argument',
        `\`predict\` should be told which of ${modalities.join(', ')} are seen. Found \`${unknown}\`.`,
      );
    }
    const hidden = modalities.find((name) => !seen.includes(name));
    if (hidden === undefined || this.#tokens !== null) return;
    throw new MultigradError(
      'unsupported',
      `\`predict\` without \`${hidden}\` needs a learnt token in its place: make the network with \`modalityDropout\` ` +
        'above 0. Found a network without tokens.',
    );
  }

  /** What the fusion makes of features, with tokens in the place of those that are dropped, or left out by `seen`. */
  #fused(
    taken: Readonly<Record<Modality, tf.Tensor>>,
    mode: ForwardMode & { readonly seen?: readonly string[] },
  ): tf.Tensor {
    const inOrder = this.#inOrder(taken);
    const shown = (this.#tokens?.apply(inOrder, { ...mode }) ?? inOrder) as tf.Tensor[];
    return apply(this.fusion, shown, mode);
  }

  #inOrder(inputs: Readonly<Record<Modality, tf.Tensor>>): tf.Tensor[] {
    return this.modalities.map((modality) => inputs[modality]);
  }

  #measure<Labels extends BatchLabels<Joint | Modality>, T extends tf.TensorContainer>(
    forward: () => Record<Joint | Modality, tf.Tensor2D>,
    labels: Labels,
    measure: (logits: tf.Tensor2D, labels: tf.Tensor1D) => T,
  ): Measured<Labels, Joint | Modality, T> {
    const labelled = this.#labelled(labels);
    const present = this.objectiveNames.filter(
      (objective) => own(labelled, objective) !== undefined,
    );
    return tidyRecord(() => {
      const logits = forward();
      return record(present, (objective) => measure(logits[objective], own(labelled, objective)!));
    });
  }

  /** The objectives that have a label in this batch, with their labels. */
  #labelled(labels: BatchLabels<Joint | Modality>): Partial<Record<Joint | Modality, tf.Tensor1D>> {
    if (labels instanceof tf.Tensor) {
      if (!hasLabels(labels, this.classes)) {
        throw new MultigradError(
          'invalid-data',
          `labels: every label of the batch is missing (-1). Expected at least one of ${labels.size}: leave such batches out.`,
        );
      }
      return record(this.objectiveNames, () => labels);
    }
    const unknown = Object.keys(labels).find(
      (name) => !(this.objectiveNames as readonly string[]).includes(name),
    );
    if (unknown !== undefined) {
      throw new MultigradError(
        'invalid-argument',
        `Labels should be a tensor, or a record of tensors for ${this.objectiveNames.join(', ')}. Found \`${unknown}\`.`,
      );
    }
    const present = this.objectiveNames.filter((objective) => {
      const given = own(labels, objective);
      return given !== undefined && hasLabels(given, this.classes, `labels of \`${objective}\``);
    });
    return record(present, (objective) => own(labels, objective)!);
  }

  /** Logits from features, as symbolic tensors. */
  #outputs(features: Readonly<Record<Modality, SymbolicTensor>>): SymbolicTensor[] {
    const vectors = record(this.modalities, (modality) => {
      const pool = this.#pools[modality];
      return pool === null
        ? features[modality]
        : (pool.apply(features[modality]) as SymbolicTensor);
    });
    const taken = this.#fusesMaps ? features : vectors;
    const inOrder = this.modalities.map((modality) => taken[modality]);
    const fused = this.fusion.apply(this.#tokens?.apply(inOrder) ?? inOrder) as SymbolicTensor;
    return this.objectiveNames.map(
      (objective) =>
        this.heads[objective].apply(
          objective === this.#joint ? fused : vectors[objective as Modality],
        ) as SymbolicTensor,
    );
  }
}

function networkGate<Modality extends string>(gate: StreamGate): NetworkGate<Modality> {
  return {
    name: gate.name,
    modality: gate.stream as Modality,
    own: variablesOf(gate.own.trainableWeights),
    shared: variablesOf(gate.shared.trainableWeights),
  };
}

function measured(logits: tf.Tensor2D, labels: tf.Tensor1D): MeasuredObjective {
  return {
    loss: softmaxCrossEntropy(logits, labels),
    metrics: { accuracy: accuracy(logits, labels) },
    samples: labelCount(labels),
  };
}
