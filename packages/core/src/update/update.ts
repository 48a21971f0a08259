import type { OptionNames } from '../base/known-options.ts';
import { own } from '../base/own.ts';
import { type Combination, materialise } from '../rows/combination.ts';
import { dispose, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { Collective } from '../ranks/collective.ts';
import type { ParameterGroup } from '../network/groups.ts';
import { MultigradError } from '../base/errors.ts';
import { type Adjustment, adjustedStep } from './adjusted-step.ts';
import { clipCombinations } from '../rows/clip-combinations.ts';
import { checkClip, type ClipOptions, type NamedGradients } from '../rows/clip-gradients.ts';
import { type LearningRate, rateAt, rateOf, setRate } from './learning-rate.ts';
import type { PartSnapshot } from '../optimizers/part-snapshot.ts';
import {
  type AnyOptimizer,
  applyOptimizer,
  byOwnName,
  type CombiningOptimizer,
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
import { addWeightDecay } from './weight-decay.ts';

/** How integrated gradients become changes of variables. */
export interface UpdateOptions {
  /**
   * Takes the integrated gradients: a TensorFlow.js optimizer, an object with `applyGradients`, `snapshot` and
   * `restore`, or a function without memory of the gradients by variable name (null for variables that no objective of
   * this step reached; the trainer frees the tensors).
   */
  readonly optimizer: AnyOptimizer;
  /**
   * The learning rate of each step, set on the optimizer before it; a number, or a function such as `cosineDecay` makes.
   * @defaultValue the optimizer's own
   */
  readonly learningRate?: number | LearningRate;
  /** Factors on the learning rate of groups, by the groups' keys; finite, at least 0. @defaultValue 1 for each */
  readonly rateFactors?: Readonly<Record<string, number>>;
  /** Limits on the integrated gradients, before weight decay. @defaultValue none */
  readonly clip?: ClipOptions;
  /**
   * Coupled weight decay: adds `weightDecay · variable` to each integrated gradient, as PyTorch's SGD does; a variable
   * without a gradient at a step does not decay. Finite, at least 0. @defaultValue 0
   */
  readonly weightDecay?: number;
  /**
   * Decoupled weight decay: takes `rate · decoupledWeightDecay · variable` off beside the optimizer's change, as AdamW
   * does, under the same rule. Finite, at least 0. @defaultValue 0
   *
   * @see Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019, Algorithm 2
   */
  readonly decoupledWeightDecay?: number;
  /** Keeps an exponential moving average of the weights beside them. @defaultValue none */
  readonly average?: AverageOptions;
}

export const updateOptionNames: OptionNames<UpdateOptions> = {
  optimizer: true,
  learningRate: true,
  rateFactors: true,
  clip: true,
  weightDecay: true,
  decoupledWeightDecay: true,
  average: true,
};

/** What updates remember, with the kind of optimizer that they go through. */
export interface UpdateSnapshot extends PartSnapshot {
  readonly kind: string;
  readonly averagedSteps: number;
  readonly averages: ReadonlyMap<string, Tensor>;
}

/** The way of a step's integrated gradients into the variables. */
export class Update {
  readonly #options: UpdateOptions;
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #average: WeightAverage | null;
  readonly #collective: Collective;

  /**
   * @param collective - where the variables are slices, the ranks that hold the others
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

  /** The average of the weights; null where none is kept. */
  get average(): WeightAverage | null {
    return this.#average;
  }

  /** Changes the variables by a step's gradients. @param combinations - by the run's names; they stay the caller's */
  async apply(
    combinations: ReadonlyMap<string, Combination | null>,
    step: number,
    groups: readonly ParameterGroup[],
  ): Promise<void> {
    const { optimizer, learningRate } = this.#options;
    if (learningRate !== undefined) setRate(optimizer, rateAt(learningRate, step));
    const combining = this.#combining;
    if (combining === null) await this.#applySums(combinations, groups);
    else await this.#applyCombinations(combining, combinations, groups);
    this.#average?.update();
  }

  /**
   * The optimizer, where it takes gradients that have not been added up and nothing stands between it and them: limits on
   * single numbers and changes of an optimizer's steps want to see the sum. Null for all others.
   */
  get #combining(): CombiningOptimizer | null {
    const { optimizer, clip, rateFactors = {}, decoupledWeightDecay = 0 } = this.#options;
    const plain = clip?.value === undefined && decoupledWeightDecay === 0;
    const none = Object.keys(rateFactors).length === 0;
    return plain && none && isCombining(optimizer) ? optimizer : null;
  }

  async #applyCombinations(
    optimizer: CombiningOptimizer,
    combinations: ReadonlyMap<string, Combination | null>,
    groups: readonly ParameterGroup[],
  ): Promise<void> {
    const { clip, weightDecay = 0 } = this.#options;
    const names = groups.map(({ variables }) => variables);
    const ready =
      clip === undefined
        ? combinations
        : await clipCombinations(combinations, names, clip, (squares) =>
            this.#collective.sum(squares),
          );
    optimizer.applyCombinations(byOwnName(ready, this.#variables), weightDecay);
  }

  /** For an optimizer that takes gradients: adds them up, limits them, adds the decay, then adjusts what it did. */
  async #applySums(
    combinations: ReadonlyMap<string, Combination | null>,
    groups: readonly ParameterGroup[],
  ): Promise<void> {
    const { optimizer, clip, weightDecay = 0 } = this.#options;
    const made: (Tensor | null)[] = [];
    const take = (next: NamedGradients): NamedGradients => {
      made.push(...next.values());
      return next;
    };
    try {
      let ready = take(sumsOf(combinations));
      const adjustments = this.#adjustments(ready, groups);
      if (clip !== undefined) {
        const names = groups.map(({ variables }) => variables);
        ready = take(await this.#collective.limit(ready, names, clip));
      }
      if (weightDecay > 0) ready = take(addWeightDecay(ready, this.#variables, weightDecay));
      await adjustedStep(adjustments, () => applyOptimizer(optimizer, ready, this.#variables));
    } finally {
      dispose(made.filter((tensor) => tensor !== null));
    }
  }

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

  /** What keeps it from going on from a snapshot, a sentence each. */
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
   * Goes on from a snapshot without differences.
   *
   * @throws what an optimizer of the user's own throws, which is then set back
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

  /** Whether all that an update changes can be put back: not the slots of kinds of `tf.Optimizer` that are not known. */
  get undoable(): boolean {
    const { optimizer } = this.#options;
    return typeof optimizer === 'function' || isResumable(optimizer) || isKnown(optimizer);
  }

  /** Whether anybody's own code changes the variables: it may throw when it has changed some of them. */
  get mayFail(): boolean {
    const { optimizer } = this.#options;
    return typeof optimizer === 'function' || mayRefuse(optimizer);
  }

  /** Keeps what it remembers, to be put back. */
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

  /** The slots of which it is known that all their numbers have to be finite: not those of the user's own optimizers. */
  knownSlots(): ReadonlyMap<string, Tensor> {
    const { optimizer } = this.#options;
    const known = optimizer instanceof FusedOptimizer || isKnown(optimizer);
    return known ? snapshotOptimizer(optimizer, this.#variables).tensors : noTensors;
  }

  dispose(): void {
    this.#average?.dispose();
  }

  #adjustments(gradients: NamedGradients, groups: readonly ParameterGroup[]): Adjustment[] {
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
      const factor = factors.get(name) ?? 1;
      const decay = factor * rate * decoupledWeightDecay;
      const present = (gradients.get(name) ?? null) !== null;
      return present && (factor !== 1 || decay !== 0) ? [{ variable, factor, decay }] : [];
    });
  }
}

const noTensors: ReadonlyMap<string, Tensor> = new Map();

/** The gradients added up: new tensors. */
function sumsOf(combinations: ReadonlyMap<string, Combination | null>): NamedGradients {
  return new Map(
    Array.from(combinations, ([name, combination]) => {
      if (combination === null) return [name, null];
      const { rows, weights } = combination;
      // A clone shares the data of a lone gradient.
      const lone = rows.length === 1 && weights[0] === 1;
      return [name, lone ? rows[0]!.clone() : materialise(combination)];
    }),
  );
}

/** What an update remembered at a moment. */
export interface KeptUpdate {
  readonly putBack: () => void;
  readonly dispose: () => void;
}

/** Whether an optimizer has a `restore` of somebody else's. */
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
