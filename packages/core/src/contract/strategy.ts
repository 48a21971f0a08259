import type { Gramian } from '../algebra/gramian.ts';
import type { Json } from '../base/json.ts';
import type { Needs } from './needs.ts';
import type { CombineRows } from './row-algebra.ts';

/** Description of a parameter group, from which a strategy makes its first state. */
export interface GroupDescription {
  /** The group's name, unique in a network. */
  readonly key: string;
  /**
   * Name that random strategies mix into their seed. It is the same for the group in every run and process, also where
   * variables have only TensorFlow.js's own names, which are numbered through a process. @defaultValue the key
   */
  readonly stream?: string;
  /** All objectives that ever reach the group, by name. */
  readonly objectives: readonly string[];
  /** The names of the group's tensors. */
  readonly tensors: readonly string[];
}

/**
 * The gradients of the objectives present at one step, for one parameter group, as a strategy sees them.
 *
 * Objectives are named, never numbered: which are present may change from step to step.
 */
export interface GroupGradients {
  /** The K objectives present, in the order of every K-vector and K × K matrix below. */
  readonly objectives: readonly string[];
  /**
   * Inner products of the K gradients over the whole group.
   *
   * @throws MultigradError `not-requested` when read by a strategy whose needs say `gradients: 'none'`
   */
  readonly gramian: Gramian;
  /**
   * Inner products of the K gradients over each tensor of the group, by tensor name; they add up to `gramian`.
   *
   * @throws MultigradError `not-requested` unless the needs say `gradients: 'tensor-gramians'`
   */
  readonly tensorGramians: ReadonlyMap<string, Gramian>;
  /**
   * Inner products of all vectors that the strategy may combine, for needs that name `batches` or `memory`: the K
   * gradients of the first batch, those of each further batch, then the K memory vectors. Its first K rows and
   * columns are `gramian`. With `memory: 'squares'` the last K are, in place of memory vectors, `g_k / √m_k` coordinate by
   * coordinate, with the m_k that include this step; 0 where m_k is 0.
   *
   * @throws MultigradError `not-requested` unless the needs name `batches` or `memory`
   */
  readonly stacked: Gramian;
  /**
   * K losses, float64, before any loss weights; of the first batch where there are several.
   *
   * @throws MultigradError `not-requested` unless the needs name losses `now` or `now-and-…`
   */
  readonly losses: Float64Array;
  /** Number of the step, from 0. */
  readonly step: number;
}

/** How the K memory vectors change at one step: `m_k ← keep[k] · m_k + add[k] · g_k`. */
export interface MemoryUpdate {
  /** K finite weights of the memory vectors in the strategy's update; the vectors are those before this step. */
  readonly weights: Float64Array;
  /** K finite factors of the memory vectors. */
  readonly keep: Float64Array;
  /** K finite factors of the gradients that are added. */
  readonly add: Float64Array;
}

/**
 * A strategy's answer for one group: its update is `Σ_k weights[k] · g_k`, plus the weighted gradients of further
 * batches and the weighted memory vectors, where its needs name them.
 */
export interface Integration<State extends Json = Json> {
  /** K finite weights, one for each objective present. */
  readonly weights: Float64Array;
  /** Weights of the second batch's gradients, the third's, …: for needs that name `batches`, which require it. */
  readonly batchWeights?: readonly Float64Array[];
  /** The change of the memory vectors and their weights in the update: for needs that say `memory: true`, which require it. */
  readonly memoryUpdate?: MemoryUpdate;
  /**
   * Computes the update of one tensor from its K gradients, in place of the weighted sum: for needs that say `rows`,
   * which require it. Reports then still show `weights`.
   */
  readonly combine?: CombineRows;
  /** Weights of single tensors, by tensor name, where they differ from `weights`; few strategies need them. */
  readonly tensorWeights?: ReadonlyMap<string, Float64Array>;
  /** The state to hand in at the next step. */
  readonly state: State;
  /** A word for reports, such as `stationary`. */
  readonly note?: string;
  /** Numbers for reports, by name, such as the rescaling factor `lambda`. */
  readonly diagnostics?: Readonly<Record<string, number>>;
}

/**
 * A gradient-integration strategy: a pure function from the objectives' gradients, seen through their Gramian, to the
 * weights of the update, with explicit serialisable state.
 *
 * One strategy value serves any number of groups and runs: whatever it remembers is in its state.
 *
 * @example
 * ```ts
 * import type { GradientStrategy } from '@multigrad/core/strategy';
 *
 * // Every objective's gradient scaled to unit length before the sum.
 * const unitSum: GradientStrategy = {
 *   specification: 1,
 *   name: 'unit-sum',
 *   needs: { gradients: 'gramian' },
 *   init: () => null,
 *   integrate({ objectives, gramian }, state) {
 *     const weights = Float64Array.from(objectives, (_, k) => {
 *       const norm = Math.sqrt(gramian.values[k * gramian.size + k]!);
 *       return norm > 0 ? 1 / norm : 0;
 *     });
 *     return { weights, state };
 *   },
 * };
 * console.log(unitSum.name);
 * ```
 */
export interface GradientStrategy<State extends Json = Json> {
  /** Version of this contract that the strategy follows; checked by the engine, so that the contract can grow. */
  readonly specification: 1;
  /** The strategy's name, in kebab-case, as a user writes it. */
  readonly name: string;
  /** The most that the strategy ever has to see. */
  readonly needs: Needs;
  /** The needs at the next step, where they are less than `needs`: the strategy may keep weights for several steps. */
  needsNow?(state: State): Needs;
  /** The state before the first step. Strategies that see no gradients have one state per run, the others one per group. */
  init(group: GroupDescription): State;
  /** The weights for one step of one group. */
  integrate(gradients: GroupGradients, state: State): Integration<State>;
  /** Called after the optimizer's step where the needs name losses `now-and-after-step`; K losses of the same batch. */
  onStepEnd?(losses: Float64Array, objectives: readonly string[], state: State): State;
  /** Called after each epoch where the needs name losses `epoch-means` or `now-and-epoch-means`; K mean losses. */
  onEpochEnd?(losses: Float64Array, objectives: readonly string[], state: State): State;
}
