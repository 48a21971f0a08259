import type { OptionNames } from '../base/known-options.ts';
import { own } from '../base/own.ts';
import { type Combinations, materialise } from '../rows/combination.ts';
import { dispose, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { Collective } from '../ranks/collective.ts';
import type { ParameterGroup } from '../network/groups.ts';
import { MultigradError } from '../base/errors.ts';
import { type Adjustment, adjustedStep } from './adjusted-step.ts';
import { checkClip, clipGradients, type ClipOptions } from '../rows/clip-gradients.ts';
import { type LearningRate, rateAt, rateOf, setRate } from './learning-rate.ts';
import { type Modulation, modulatedCombinations } from './modulation.ts';
import type { PartSnapshot } from '../optimizers/part-snapshot.ts';
import {
  type AnyOptimizer,
  applyOptimizer,
  isCombining,
  isKnown,
  isResumable,
  optimizerDifferences,
  optimizerKind,
  restoreOptimizer,
  snapshotOptimizer,
} from '../optimizers/optimizer.ts';
import { FusedOptimizer } from '../optimizers/fused-optimizer.ts';
import { tensorDifferences } from '../optimizers/tensor-differences.ts';
import { type AverageOptions, WeightAverage } from './weight-average.ts';

/** How integrated gradients become changes of variables. */
export interface UpdateOptions {
  /**
   * Changes the variables by the integrated gradients: a TensorFlow.js optimizer, a fused one, an object with
   * `applyGradients`, `snapshot` and `restore`, or a function without state. The gradients come by variable name, null where no
   * objective of this step reached the variable; the trainer frees the tensors.
   *
   * @group Update
   */
  readonly optimizer: AnyOptimizer;
  /**
   * The learning rate, set on the optimizer before each step: a number, or a schedule such as `cosineDecay` makes.
   * @defaultValue the optimizer's own
   *
   * @group Update
   */
  readonly learningRate?: number | LearningRate;
  /**
   * Factors on the learning rate of groups, by the groups' keys; finite, at least 0. @defaultValue 1 for each
   *
   * @group Update
   */
  readonly rateFactors?: Readonly<Record<string, number>>;
  /**
   * Limits on the integrated gradients, before weight decay. @defaultValue none
   *
   * @group Update
   */
  readonly clip?: ClipOptions;
  /**
   * Coupled weight decay: adds `weightDecay · variable` to each integrated gradient, as PyTorch's SGD does; a variable
   * without a gradient at a step does not decay. Finite, at least 0. @defaultValue 0
   *
   * @group Update
   */
  readonly weightDecay?: number;
  /**
   * Decoupled weight decay: subtracts `rate · decoupledWeightDecay · variable` in addition to the optimizer's change, as
   * AdamW does; a variable without a gradient does not decay. Finite, at least 0. @defaultValue 0
   *
   * @see Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019, Algorithm 2
   *
   * @group Update
   */
  readonly decoupledWeightDecay?: number;
  /**
   * Keeps an exponential moving average of the weights beside them. @defaultValue none
   *
   * @group Update
   */
  readonly average?: AverageOptions;
}

/** The names of {@link UpdateOptions}. */
export const updateOptionNames: OptionNames<UpdateOptions> = {
  optimizer: true,
  learningRate: true,
  rateFactors: true,
  clip: true,
  weightDecay: true,
  decoupledWeightDecay: true,
  average: true,
};

/** The state of an update: the slots and the kind of the optimizer, and the averages. */
export interface UpdateSnapshot extends PartSnapshot {
  readonly kind: string;
  readonly averagedSteps: number;
  readonly averages: ReadonlyMap<string, Tensor>;
}

/** Changes variables by a step's integrated gradients, as the options of an update say. */
export class Update {
  readonly #options: UpdateOptions;
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #average: WeightAverage | null;
  readonly #collective: Collective;

  /**
   * @param collective - communication with the ranks that hold the other slices, where the variables are slices
   * @throws MultigradError `invalid-option`
   */
  constructor(
    options: UpdateOptions,
    variables: ReadonlyMap<string, Variable>,
    collective: Collective,
  ) {
    checkOptions(options);
    this.#collective = collective;
    this.#options = options;
    this.#variables = variables;
    this.#average =
      options.average === undefined ? null : new WeightAverage(options.average, variables);
  }

  /** The average of the weights; null without the option `average`. */
  get average(): WeightAverage | null {
    return this.#average;
  }

  /**
   * Changes the variables by a step's gradients: sets the learning rate, modulates and limits the gradients, lets the optimizer change
   * the variables, adjusts its changes by rate factors and decoupled decay, then updates the averages.
   *
   * @param combinations - by variable name; they stay the caller's
   * @param modulations - by variable name, what is done to gradients and changes
   */
  async apply(
    combinations: Combinations,
    step: number,
    groups: readonly ParameterGroup[],
    modulations: ReadonlyMap<string, Modulation | null> = new Map(),
  ): Promise<void> {
    const { optimizer, learningRate, clip, weightDecay = 0 } = this.#options;
    if (learningRate !== undefined) setRate(optimizer, rateAt(learningRate, step));
    const made: Tensor[] = [];
    try {
      const modulated = modulatedCombinations(combinations, modulations, made);
      const adjustments = this.#adjustments(modulated, groups, modulations);
      const limited =
        clip === undefined ? modulated : await this.#clip(clip, modulated, groups, made);
      await adjustedStep(adjustments, () =>
        applyOptimizer(optimizer, limited, this.#variables, weightDecay),
      );
    } finally {
      dispose(made);
    }
    this.#average?.update();
  }

  /** The gradients within limits. @param made - takes the tensors that this makes */
  async #clip(
    clip: ClipOptions,
    combinations: Combinations,
    groups: readonly ParameterGroup[],
    made: Tensor[],
  ): Promise<Combinations> {
    const own = (tensor: Tensor): Tensor => {
      made.push(tensor);
      return tensor;
    };
    // Where rows nearly cancel, the norm of their sum is more accurate than the one from the Gramian.
    const ready = isCombining(this.#options.optimizer) ? combinations : added(combinations, own);
    const [limited] = await clipGradients([ready], clip, {
      groups: groups.map(({ variables }) => variables),
      sum: (squares) => this.#collective.sum(squares),
      own,
    });
    return limited!;
  }

  /** The state of the optimizer and the averages. The tensors stay the property of this update. */
  snapshot(): UpdateSnapshot {
    const { optimizer } = this.#options;
    return {
      kind: optimizerKind(optimizer),
      ...snapshotOptimizer(optimizer, this.#variables),
      ...this.#averaged(),
    };
  }

  #averaged(): Pick<UpdateSnapshot, 'averagedSteps' | 'averages'> {
    return {
      averagedSteps: this.#average?.steps ?? 0,
      averages: this.#average?.tensors ?? noTensors,
    };
  }

  /** The reasons why a snapshot cannot be restored, a sentence each; empty where it can. */
  differences(snapshot: UpdateSnapshot): string[] {
    const { optimizer } = this.#options;
    const kind = optimizerKind(optimizer);
    if (snapshot.kind !== kind) return [`optimizer ${snapshot.kind}, expected ${kind}`];
    const expected = this.#average !== null && snapshot.averagedSteps > 0 ? this.#variables : null;
    return [
      ...optimizerDifferences(optimizer, this.#variables, snapshot),
      ...tensorDifferences('average', snapshot.averages, expected ?? new Map<string, Tensor>()),
    ];
  }

  /**
   * Restores a snapshot for which `differences` is empty.
   *
   * @throws what an optimizer of the user's own throws; its state is then as before
   */
  restore(snapshot: UpdateSnapshot): void {
    const { optimizer } = this.#options;
    if (mayRefuse(optimizer)) {
      const before = copyOf(snapshotOptimizer(optimizer, this.#variables));
      try {
        restoreOptimizer(optimizer, this.#variables, snapshot);
      } catch (error) {
        restoreOptimizer(optimizer, this.#variables, before);
        throw error;
      } finally {
        dispose([...before.tensors.values()]);
      }
    } else restoreOptimizer(optimizer, this.#variables, snapshot);
    this.#average?.restore(snapshot.averagedSteps, snapshot.averages);
  }

  /** Whether an update can be undone. It cannot where the slots of the optimizer, a subclass of `tf.Optimizer`, are not known. */
  get undoable(): boolean {
    const { optimizer } = this.#options;
    return typeof optimizer === 'function' || isResumable(optimizer) || isKnown(optimizer);
  }

  /** Whether the optimizer is the user's own code, which may throw after it changed some of the variables. */
  get mayFail(): boolean {
    const { optimizer } = this.#options;
    return typeof optimizer === 'function' || mayRefuse(optimizer);
  }

  /** Keeps the present state, so that an update can be undone. */
  keep(): KeptUpdate {
    const before = this.undoable
      ? this.snapshot()
      : { values: null, tensors: noTensors, ...this.#averaged() };
    const slots = copyOf(before);
    const averages = copies(before.averages);
    return {
      putBack: () => {
        if (this.undoable) restoreOptimizer(this.#options.optimizer, this.#variables, slots);
        this.#average?.restore(before.averagedSteps, averages);
      },
      dispose: () => dispose([...slots.tensors.values(), ...averages.values()]),
    };
  }

  /** The slots whose numbers must all be finite: those of TensorFlow.js's and fused optimizers. */
  knownSlots(): ReadonlyMap<string, Tensor> {
    const { optimizer } = this.#options;
    const known = optimizer instanceof FusedOptimizer || isKnown(optimizer);
    return known ? snapshotOptimizer(optimizer, this.#variables).tensors : noTensors;
  }

  /** Frees the averages. */
  dispose(): void {
    this.#average?.dispose();
  }

  #adjustments(
    combinations: Combinations,
    groups: readonly ParameterGroup[],
    modulations: ReadonlyMap<string, Modulation | null>,
  ): Adjustment[] {
    const { optimizer, rateFactors = {}, decoupledWeightDecay = 0 } = this.#options;
    const keys = groups.map(({ key }) => key);
    const unknown = Object.keys(rateFactors).find((key) => !keys.includes(key));
    if (unknown !== undefined) {
      throw new MultigradError(
        'invalid-option',
        `Option \`rateFactors\` should name groups: ${keys.join(', ')}. Found \`${unknown}\`.`,
      );
    }
    const rate = decoupledWeightDecay > 0 ? rateOf(optimizer) : 0;
    if (rate === null) {
      throw new MultigradError(
        'unsupported',
        'Option `decoupledWeightDecay` needs an optimizer with a `learningRate`. Found one without.',
      );
    }
    const factors = new Map(
      groups.flatMap(({ key, variables }) =>
        variables.map((name) => [name, own(rateFactors, key) ?? 1] as const),
      ),
    );
    return [...this.#variables].flatMap(([name, variable]) => {
      const factor = (factors.get(name) ?? 1) * (modulations.get(name)?.rate ?? 1);
      const decay = factor * rate * decoupledWeightDecay;
      const present = (combinations.get(name) ?? null) !== null;
      return present && (factor !== 1 || decay !== 0) ? [{ variable, factor, decay }] : [];
    });
  }
}

const noTensors: ReadonlyMap<string, Tensor> = new Map();

/** Adds up each gradient into one row. @param own - takes over the tensors that this makes */
function added(combinations: Combinations, own: (made: Tensor) => Tensor): Combinations {
  return new Map(
    Array.from(combinations, ([name, combination]) => {
      if (combination === null || combination.rows.length === 1) return [name, combination];
      return [name, { rows: [own(materialise(combination))], weights: [1] }];
    }),
  );
}

/** The state of an update before a step. */
export interface KeptUpdate {
  readonly putBack: () => void;
  readonly dispose: () => void;
}

/** Whether an optimizer has a `restore` of the user's own, which may throw. */
function mayRefuse(optimizer: AnyOptimizer): boolean {
  return isResumable(optimizer) && !(optimizer instanceof FusedOptimizer);
}

function copyOf({ values, tensors }: PartSnapshot): PartSnapshot {
  return { values, tensors: copies(tensors) };
}

function copies(tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return new Map(Array.from(tensors, ([name, tensor]) => [name, tensor.clone()]));
}

function checkOptions(options: UpdateOptions): void {
  const { weightDecay, decoupledWeightDecay, rateFactors = {}, clip, learningRate } = options;
  const numbers = {
    weightDecay,
    decoupledWeightDecay,
    ...(typeof learningRate === 'number' ? { learningRate } : {}),
    ...Object.fromEntries(
      Object.entries(rateFactors).map(([key, factor]) => [`rateFactors.${key}`, factor]),
    ),
  };
  for (const [name, value] of Object.entries(numbers) as [string, number | undefined][]) {
    if (value === undefined || (Number.isFinite(value) && value >= 0)) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`${name}\` should be a finite number >= 0. Found ${value}.`,
    );
  }
  if (clip !== undefined) checkClip('clip', clip);
}
