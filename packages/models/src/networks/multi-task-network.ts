import { MultigradError, own } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { SharedBody } from '../sharing/shared-body.ts';
import {
  namedVariables,
  trainableVariables,
  variablesBehind,
  variablesOf,
  weightsBeyond,
} from '../weights/network-weights.ts';
import { apply, assertInput, type ForwardMode, record, tidyRecord } from './parts.ts';
import type { TaskMeasures } from './task-measures.ts';

/** A task's loss, with its accuracy (`accuracy`) or mean absolute error (`error`) beside it. */
export type MeasuredTask = Readonly<{
  loss: tf.Scalar;
  metrics: Readonly<Record<string, tf.Scalar>>;
  /** Number of targets over which both are means. */
  samples: tf.Scalar;
}>;

/** The parts of a {@link MultiTaskNetwork}, which it owns. */
export interface MultiTaskParts<Name extends string> {
  /** The trunks, in the order in which they were made. */
  readonly trunks: readonly LayersModel[];
  /** Whether all tasks share one trunk and nothing else. */
  readonly hard: boolean;
  readonly body: SharedBody;
  readonly tasks: Readonly<Record<Name, TaskMeasures>>;
  /** The head of each task, for features of a shape without the batch. */
  readonly head: (task: Name, shape: readonly (number | null)[]) => LayersModel;
}

/**
 * A network that learns several tasks from one input: a shared body and a head for each task, which is an objective.
 *
 * Targets come by task, and may be missing: a class label of −1, a NaN. Loss and gradient of a task are those of the
 * samples that have a target, and a task with none in a batch is left out of what is returned, as an absent objective.
 * Make one with {@link multiTaskNetwork}.
 *
 * @example
 * ```ts
 * import { multilayerPerceptron, multiTaskNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const network = multiTaskNetwork({
 *   trunk: multilayerPerceptron({ name: 'trunk', shape: [3], hidden: [4], features: 4 }),
 *   tasks: { kind: { kind: 'classification', classes: 2 }, size: { kind: 'regression', size: 1 } },
 * });
 * const outputs = network.forward(tf.ones([5, 3]), { training: false });
 * console.log(outputs.kind.shape, outputs.size.shape); // [ 5, 2 ] [ 5, 1 ]
 * console.log(Object.keys(network.parts)); // [ 'trunk' ]
 * network.dispose();
 * ```
 */
export class MultiTaskNetwork<Name extends string> {
  /** The tasks, which are the objectives, in the order in which they were given. */
  readonly objectiveNames: readonly Name[];
  /** One head for each task. */
  readonly heads: Readonly<Record<Name, LayersModel>>;
  /** The trunks: one, or one for each task or expert. */
  readonly trunks: readonly LayersModel[];
  /** The whole as one model, from the input to the heads' outputs: for `save`, `summary`, `predict`. */
  readonly model: LayersModel;
  /** Every variable that training changes. */
  readonly trainableVariables: tf.Variable[];
  /**
   * With hard sharing the trunk's trainable variables, as a named part for grouping. Empty for the other schemes: there
   * the tasks that reach a variable show what is shared.
   */
  readonly parts: Readonly<Record<string, tf.Variable[]>>;
  /** All weights, moving statistics included, by names that every network of the same make shares. */
  readonly namedVariables: ReadonlyMap<string, tf.Variable>;
  readonly #tasks: Readonly<Record<Name, TaskMeasures>>;
  readonly #hard: boolean;
  readonly #body: LayersModel;
  /** Which output of the body each task takes. */
  readonly #outputOf: Readonly<Record<Name, number>>;
  /** Which output of the body is added to a task's loss in training; of few schemes. */
  readonly #penaltyOf: ReadonlyMap<string, number>;

  constructor({ trunks, hard, body, tasks, head }: MultiTaskParts<Name>) {
    this.#tasks = tasks;
    this.#hard = hard;
    this.trunks = [...trunks];
    this.objectiveNames = Object.keys(tasks) as Name[];
    const sample = input({ name: 'input', shape: trunks[0]!.inputs[0]!.shape.slice(1) });
    const shared = body(sample);
    const features = shared.features as Readonly<Record<Name, SymbolicTensor>>;
    const distinct = [...new Set(Object.values<SymbolicTensor>(features))];
    this.#outputOf = record(this.objectiveNames, (task) => distinct.indexOf(features[task]));
    const penalties = Object.entries(shared.penalties ?? {});
    this.#penaltyOf = new Map(penalties.map(([task], at) => [task, distinct.length + at]));
    this.#body = model({
      inputs: sample,
      outputs: [...distinct, ...penalties.map(([, penalty]) => penalty)],
    });
    this.heads = record(this.objectiveNames, (task) => head(task, features[task].shape.slice(1)));
    const outputs = this.objectiveNames.map(
      (task) => this.heads[task].apply(features[task]) as SymbolicTensor,
    );
    this.model = model({ inputs: sample, outputs });
    const heads = this.objectiveNames.map((task) => this.heads[task]);
    const between = weightsBeyond(this.#body, trunks);
    this.namedVariables = namedVariables([...trunks, { weights: between }, ...heads]);
    this.trainableVariables = [
      ...trunks.flatMap(trainableVariables),
      ...variablesOf(between.filter(({ trainable }) => trainable)),
      ...heads.flatMap(trainableVariables),
    ];
    this.parts = hard ? { trunk: trainableVariables(trunks[0]!) } : {};
  }

  /**
   * One forward pass: each task's logits (n × classes) or predictions (n × size); new tensors that belong to the caller. For
   * tasks with a target at every pixel they are maps, n × height × width × (classes or size), a `tf.Tensor4D` at run time.
   *
   * @throws MultigradError `invalid-argument` for an input of another shape than the trunk takes
   */
  forward(sample: tf.Tensor, mode: ForwardMode): Record<Name, tf.Tensor2D> {
    return tidyRecord(() => this.#outputs(this.#features(sample, mode), mode));
  }

  /**
   * One forward pass: each task's loss, as scalars that belong to the caller; tasks without a target are left out.
   *
   * @param targets - by task: int32 labels of shape [n], −1 where missing, or float32 numbers of shape [n, size], NaN where
   * missing; for tasks with a target at every pixel [n, height, width] and [n, height, width, size]; other keys are left aside, so a batch will do
   * @param mode - training unless told otherwise
   * @throws MultigradError `invalid-data` for a label out of range on the cpu and wasm backends; on others, where reading
   * it would hold up the device, the loss is NaN; likewise for a task without a target there
   * @throws MultigradError `invalid-argument` for inputs or targets of the wrong shape or type
   */
  losses(
    sample: tf.Tensor,
    targets: Readonly<Partial<Record<Name, tf.Tensor>>>,
    mode: ForwardMode = { training: true },
  ): Partial<Record<Name, tf.Scalar>> {
    return this.#measure(
      () => this.#run(sample, mode),
      targets,
      ({ loss }, outputs, own, penalty) => withPenalty(loss(outputs, own), penalty),
    );
  }

  /**
   * One forward pass: each task's accuracy (`accuracy`, 0 to 1) or mean absolute error (`error`), as scalars that belong to
   * the caller; at every pixel also the batch's mean intersection over union (`iou`) and mean relative error
   * (`relative`); of directions the mean angle in degrees (`angle`) and the shares within 11.25, 22.5 and 30 degrees
   * (`within11`, `within22`, `within30`); tasks without a target are left out.
   *
   * @param mode - not training unless told otherwise
   * @throws MultigradError as {@link MultiTaskNetwork.losses} does
   */
  metrics(
    sample: tf.Tensor,
    targets: Readonly<Partial<Record<Name, tf.Tensor>>>,
    mode: ForwardMode = { training: false },
  ): Partial<Record<Name, Record<string, tf.Scalar>>> {
    return this.#measure(
      () => this.#run(sample, mode),
      targets,
      ({ metrics }, outputs, own) => metrics(outputs, own),
    );
  }

  /**
   * One forward pass: each task's loss with its metric beside it, as a trainer takes them; scalars that belong to the
   * caller.
   *
   * @throws MultigradError as {@link MultiTaskNetwork.losses} does
   */
  objectives(
    sample: tf.Tensor,
    targets: Readonly<Partial<Record<Name, tf.Tensor>>>,
    mode: ForwardMode,
  ): Partial<Record<Name, MeasuredTask>> {
    return this.#measure(
      () => this.#run(sample, mode),
      targets,
      ({ loss, metrics, samples }, outputs, own, penalty) => ({
        loss: withPenalty(loss(outputs, own), penalty),
        metrics: metrics(outputs, own),
        samples: samples(own),
      }),
    );
  }

  /**
   * The trunk's vectors, n × features, under the name of the part, `trunk`: where gradients are integrated with
   * `level: 'features'`. For hard sharing only: the other schemes have no one tensor that cuts all paths.
   *
   * @throws MultigradError `unsupported` for another scheme
   */
  features(sample: tf.Tensor, mode: ForwardMode): { trunk: tf.Tensor2D } {
    this.#assertHard('features');
    return tf.tidy(() => ({ trunk: this.#features(sample, mode)[0]! }));
  }

  /**
   * Like {@link MultiTaskNetwork.losses}, from the trunk's vectors.
   *
   * @throws MultigradError `unsupported` for another scheme than hard sharing, and as {@link MultiTaskNetwork.losses} does
   */
  lossesFromFeatures(
    features: { readonly trunk: tf.Tensor2D },
    targets: Readonly<Partial<Record<Name, tf.Tensor>>>,
    mode: ForwardMode = { training: true },
  ): Partial<Record<Name, tf.Scalar>> {
    this.#assertHard('lossesFromFeatures');
    return this.#measure(
      () => ({ outputs: this.#outputs([features.trunk], mode), penalties: new Map() }),
      targets,
      ({ loss }, outputs, own) => loss(outputs, own),
    );
  }

  /** The trainable variables that one task reaches: a single-task baseline trains them with this task's loss alone. */
  variablesOf(task: Name): tf.Variable[] {
    return variablesBehind(this.model.outputs[this.objectiveNames.indexOf(task)]!);
  }

  /** Frees all weights. The network cannot be used afterwards; further calls do nothing. */
  dispose(): void {
    for (const variable of this.namedVariables.values()) variable.dispose();
  }

  #features(sample: tf.Tensor, mode: ForwardMode): tf.Tensor2D[] {
    assertInput('The input', this.#body.inputs[0]!.shape, sample);
    const outputs = this.#body.apply(sample, { ...mode }) as tf.Tensor2D | tf.Tensor2D[];
    return Array.isArray(outputs) ? outputs : [outputs];
  }

  #outputs(features: readonly tf.Tensor2D[], mode: ForwardMode): Record<Name, tf.Tensor2D> {
    return record(
      this.objectiveNames,
      (task) => apply(this.heads[task], features[this.#outputOf[task]]!, mode) as tf.Tensor2D,
    );
  }

  /** Outputs by task, and what is added to losses. */
  #run(sample: tf.Tensor, mode: ForwardMode): NetworkRun<Name> {
    const features = this.#features(sample, mode);
    const penalties = Array.from(this.#penaltyOf, ([task, at]) => [task, features[at]!] as const);
    return {
      outputs: this.#outputs(features, mode),
      penalties: new Map(mode.training ? penalties : []),
    };
  }

  #measure<T extends tf.TensorContainer>(
    forward: () => NetworkRun<Name>,
    targets: Readonly<Partial<Record<Name, tf.Tensor>>>,
    measure: (
      task: TaskMeasures,
      outputs: tf.Tensor2D,
      targets: tf.Tensor,
      penalty: tf.Tensor | undefined,
    ) => T,
  ): Partial<Record<Name, T>> {
    return tidyRecord(() => {
      const checkedTargets = new Map<Name, tf.Tensor>();
      for (const task of this.objectiveNames) {
        const given: unknown = own(targets, task);
        if (given === undefined || given === null) continue;
        if (!(given instanceof tf.Tensor)) {
          throw new MultigradError(
            'invalid-argument',
            `Targets of \`${task}\` should be a tensor. Found ${describeValue(given)}.`,
          );
        }
        const checked = this.#tasks[task].targets(task, given as tf.Tensor);
        if (checked !== null) checkedTargets.set(task, checked);
      }
      const { outputs, penalties } = forward();
      return record([...checkedTargets.keys()], (task) =>
        measure(this.#tasks[task], outputs[task], checkedTargets.get(task)!, penalties.get(task)),
      );
    });
  }

  #assertHard(method: string): void {
    if (this.#hard) return;
    throw new MultigradError(
      'unsupported',
      `\`${method}\` needs one tensor that everything shared lies behind: hard sharing. Found another scheme.`,
    );
  }
}

/** One forward pass: outputs by task, and what losses have added for each sample, n × 1. */
interface NetworkRun<Name extends string> {
  readonly outputs: Record<Name, tf.Tensor2D>;
  readonly penalties: ReadonlyMap<string, tf.Tensor>;
}

/** A loss with the mean penalty of the samples added. */
function withPenalty(loss: tf.Scalar, penalty: tf.Tensor | undefined): tf.Scalar {
  return penalty === undefined ? loss : tf.add(loss, tf.mean(penalty));
}
