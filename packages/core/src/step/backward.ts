import { own } from '../base/own.ts';
import { targetName } from '../network/observe-graph.ts';
import { scalar, type Tensor } from '@tensorflow/tfjs-core';
import type { Needs } from '../contract/needs.ts';
import type { GroupState } from '../network/integration-state.ts';
import type { PresentObjective } from '../network/objectives.ts';
import type { Pass } from '../network/passes.ts';
import { clipGradients, scaledClip } from '../rows/clip-gradients.ts';
import { type Combination, materialise } from '../rows/combination.ts';
import type { DenseFactor } from '../rows/dense-products.ts';
import { addSquares, divideByRoot } from '../rows/squared-memory.ts';
import type { BackwardSeed } from '../tape/backward-walk.ts';
import { backwardSummed, type SummedPass, type Target } from './backward-summed.ts';
import { type DenseLayer, denseLayers } from './dense-layers.ts';
import type { OneScalar } from './one-scalar.ts';
import { isConsulted, type PresentGroup, type StepContext } from './step-context.ts';

/**
 * The vectors of one tensor that its update may combine: the K gradients of each batch, then the K memory vectors. Null
 * stands for zero.
 */
export interface TensorVectors {
  readonly tensor: string;
  readonly rows: readonly (Tensor | null)[];
  /**
   * Where gradients are products that are not computed: the factor that they share. The other factors, the gradients of a
   * dense layer's output, stand in `rows`.
   */
  readonly factor?: DenseFactor;
  /** The K memory vectors after this step, where they are squares: the last K rows are gradients divided by their roots. */
  readonly squares?: readonly (Tensor | null)[];
}

/** All vectors of a group, tensor by tensor. */
export interface GroupVectors {
  readonly present: PresentGroup;
  readonly tensors: readonly TensorVectors[];
  /** Number of vectors, a multiple of the number of objectives present. */
  readonly count: number;
  /** What each vector is multiplied by, a power of two: the loss scale, and 1 for memory vectors. */
  readonly scales: readonly number[];
}

/** The tensors at which gradients are integrated: each group's variables, or its feature. */
function targetsOf(
  { variables, passes: [{ graph }], state }: StepContext,
  layers: ReadonlyMap<string, DenseLayer>,
): Target[] {
  const behindFeature = new Set(
    state.groups.flatMap(({ feature, variables: names }) => (feature === null ? [] : names)),
  );
  return [
    ...graph.features.map(({ name, tensor }) => ({ name: targetName(name), tensor })),
    ...variables
      .filter(({ name }) => !behindFeature.has(name))
      .map(({ name, variable }) => ({ name, tensor: layers.get(name)?.output ?? variable })),
  ];
}

/** The gradients that the backward passes of a step found. */
export interface Rows {
  /** The gradient of one scalar loss for each variable; null where each objective had its own backward pass. */
  readonly whole: readonly (Tensor | null)[] | null;
  /** The vectors of the groups whose Gramians will be measured; empty where one scalar loss was enough. */
  readonly groups: readonly GroupVectors[];
  /** Backward passes made. */
  readonly backwardPasses: number;
}

/** Makes one backward pass from the weighted sum of the losses, and with `observe` one for each objective, for reports. */
export async function backwardOnce(
  context: StepContext,
  groups: readonly PresentGroup[],
  { weights }: OneScalar,
): Promise<Rows> {
  const { passes, objectives, variables, observe } = context;
  const [pass] = passes;
  // An objective of weight 0 takes no part: variables that only it reaches get no update at all.
  const weightOf = (name: string): number => weights[objectives.indexOf(name)] ?? 0;
  const seeds = pass.tape.value.objectives.flatMap((objective) => {
    const weight = weightOf(objective.name);
    return weight === 0 || !pass.sweeps(objective.name)
      ? []
      : [seedOf(context, pass, objective, weight)];
  });
  const reached = (name: string): boolean =>
    [...pass.graph.reach.get(name)!].some((objective) => weightOf(objective) !== 0);
  const targets = variables.map(({ name, variable }) => ({ name, tensor: variable }));
  const [whole] = await backwardSummed(context, pass, targets, [{ seeds, reached }]);
  if (!observe) return { whole: whole!, groups: [], backwardPasses: 1 };
  const layers = denseLayers(context, groups);
  const observed = variables.map(({ name, variable }) => ({
    name,
    tensor: layers.get(name)?.output ?? variable,
  }));
  const gradients = await gradientsAt(context, observed);
  return {
    whole: whole!,
    groups: groups.map((present) => vectorsOf(context, present, gradients, undefined, layers)),
    backwardPasses: 1 + pass.tape.value.objectives.length,
  };
}

/** Makes one backward pass for each objective of each batch, to the groups' variables or features. */
export async function backwardEach(
  context: StepContext,
  groups: readonly PresentGroup[],
): Promise<Rows> {
  const { passes, strategy } = context;
  const layers = denseLayers(context, groups);
  const gradients = await gradientsAt(context, targetsOf(context, layers));
  return {
    whole: null,
    groups: groups.map((present) => {
      const memory = isConsulted(context, present) ? strategy.needs.memory : undefined;
      return vectorsOf(context, present, gradients, memory, layers);
    }),
    backwardPasses: passes.reduce((sum, { tape }) => sum + tape.value.objectives.length, 0),
  };
}

/**
 * The start of one objective's backward pass: its loss, times its loss weight, a further factor, the loss scale and this
 * rank's share of the samples. With that share the ranks' gradients add up to the gradient of the mean over all samples.
 */
export function seedOf(
  { lossWeights, lossScale, bag }: StepContext,
  { shareOf }: Pass,
  { name, loss }: PresentObjective,
  factor = 1,
): BackwardSeed {
  const weight = factor * shareOf(name) * (own(lossWeights, name) ?? 1) * lossScale;
  return weight === 1 ? { tensor: loss } : { tensor: loss, gradient: bag.keep(scalar(weight)) };
}

/** Gradients by batch, objective and target, null where there is none. */
type Gradients = readonly (readonly (readonly (Tensor | null)[])[])[];

/** The gradient of an objective at a target, by batch. */
type GradientAt = (batch: number, objective: number, target: string) => Tensor | null;

/** The gradients of all objectives after `clipObjectives`; among ranks those of variables are this rank's slices, flat. */
async function gradientsAt(context: StepContext, targets: readonly Target[]): Promise<GradientAt> {
  const found: (readonly (readonly (Tensor | null)[])[])[] = [];
  for (const pass of context.passes) {
    const { tape, graph } = pass;
    // Batches may list objectives in another order: the first batch decides.
    const sums = context.objectives.map((name): SummedPass => {
      const objective = tape.value.objectives.find((candidate) => candidate.name === name);
      return {
        // This rank may have no samples of it, where another one has.
        seeds:
          objective === undefined || !pass.sweeps(name) ? [] : [seedOf(context, pass, objective)],
        reached: (variable) => graph.reach.get(variable)!.has(name),
      };
    });
    found.push(await backwardSummed(context, pass, targets, sums));
  }
  const gradients = await limitEach(context, targets, found);
  const places = new Map(targets.map(({ name }, index) => [name, index]));
  return (batch, objective, target) =>
    gradients[batch]?.[objective]?.[places.get(target) ?? -1] ?? null;
}

/** Applies `clipObjectives` to each objective's gradients. What it replaces is freed. */
async function limitEach(
  { state, clipObjectives, lossScale, collective, bag }: StepContext,
  targets: readonly Target[],
  gradients: Gradients,
): Promise<Gradients> {
  if (clipObjectives === undefined) return gradients;
  const limits = scaledClip(clipObjectives, lossScale);
  const replace = (made: Tensor, old: Tensor): Tensor => {
    bag.give(old).dispose();
    return bag.keep(made);
  };
  const clipping = {
    groups: state.groups.map(targetNames),
    sum: async (squares: Float64Array) => collective.sum(squares),
    own: (made: Tensor, { rows }: Combination) => replace(made, rows[0]!),
  };
  const limited: (Tensor | null)[][][] = [];
  for (const rows of gradients) {
    const sets = rows.map((row) => {
      const named = targets.map(({ name }, index): [string, Combination | null] => {
        const value = row[index] ?? null;
        return [name, value === null ? null : { rows: [value], weights: [1] }];
      });
      return new Map(named);
    });
    const within = await clipGradients(sets, limits, clipping);
    limited.push(
      within.map((set) =>
        targets.map(({ name }) => {
          const gradient = set.get(name) ?? null;
          if (gradient === null) return null;
          const [row] = gradient.rows;
          return gradient.weights[0] === 1 ? row! : replace(materialise(gradient), row!);
        }),
      ),
    );
  }
  return limited;
}

/** All vectors of a group: the gradients of every batch, and what the strategy sees of its memory. */
function vectorsOf(
  { passes, memory, lossScale, bag }: StepContext,
  present: PresentGroup,
  gradientAt: GradientAt,
  needed: Needs['memory'],
  layers: ReadonlyMap<string, DenseLayer>,
): GroupVectors {
  const { group, objectives, names } = present;
  const batches = passes.length;
  const count = names.length * (batches + (needed === undefined ? 0 : 1));
  const tensors = targetNames(group).map((tensor) => {
    const rows: (Tensor | null)[] = [];
    for (let batch = 0; batch < batches; batch += 1) {
      for (const objective of objectives) rows.push(gradientAt(batch, objective, tensor));
    }
    const remembered = names.map((name) => memory?.get(tensor, name) ?? null);
    const factor = layers.get(tensor)?.factor;
    if (factor !== undefined) return { tensor, rows, factor };
    if (needed === undefined) return { tensor, rows };
    if (needed === true) return { tensor, rows: [...rows, ...remembered] };
    const squares = remembered.map((old, k) => {
      const row = rows[k] ?? null;
      return row === null ? null : bag.keep(addSquares(old, row, lossScale));
    });
    const divided = squares.map((roots, k) =>
      roots === null ? null : bag.keep(divideByRoot(rows[k]!, roots, lossScale)),
    );
    return { tensor, rows: [...rows, ...divided], squares };
  });
  return {
    present,
    tensors,
    count,
    scales: Array.from({ length: count }, (_, k) => (k < names.length * batches ? lossScale : 1)),
  };
}

/** The names of the tensors at which a group's gradients are integrated. */
export function targetNames(group: GroupState): readonly string[] {
  return group.feature === null ? group.variables : [targetName(group.feature)];
}
