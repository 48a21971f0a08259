import {
  type GradientStrategy,
  type IntegratedMatrix,
  integrateMatrix,
  type Json,
  type Needs,
  type MemoryRows,
  type TensorColumns,
} from '@multigrad/core/strategy';

/** Rows of numbers, one gradient each. */
export type Matrix = readonly (readonly number[])[];

/** The input of one training step. */
export interface Step {
  /** Names of the objectives present. */
  readonly objectives: readonly string[];
  /** Their gradients. */
  readonly rows: Matrix;
  /** Their losses, > 0. */
  readonly losses: readonly number[];
  /** The losses after the optimizer's step, > 0. */
  readonly lossesAfter: readonly number[];
}

/** The position of a run between two steps. */
export interface Progress {
  readonly state: Json;
  readonly memory?: MemoryRows | undefined;
  readonly step: number;
}

/** A strategy's answer at one step and what follows from it. */
export interface Taken {
  readonly result: IntegratedMatrix;
  readonly next: Progress;
}

/** Further batches, for strategies that see several: gradients equal to those of the first batch, or others. */
export type Batches = 'equal' | 'other';

/** The needs of a strategy at the next step. */
export function needsAt(strategy: GradientStrategy, state: Json): Needs {
  return strategy.needsNow?.(state) ?? strategy.needs;
}

/** The tensors of every group. */
export const tensorNames: readonly string[] = ['kernel', 'bias'];

/** The start of a run over these steps. */
export function begin(strategy: GradientStrategy, steps: readonly Step[], key = 'group'): Progress {
  const objectives = [...new Set(steps.flatMap((step) => step.objectives))];
  return { state: strategy.init({ key, objectives, tensors: tensorNames }), step: 0 };
}

/** One step, with the hooks that the strategy's needs name; every second step ends an epoch. */
export function take(
  strategy: GradientStrategy,
  { objectives, rows, losses, lossesAfter }: Step,
  { state, memory, step }: Progress,
  batches: Batches = 'other',
): Taken {
  const needs = needsAt(strategy, state);
  const result = integrateMatrix(strategy, rows, {
    objectives,
    state,
    step,
    tensors: tensorsOf(rows[0]!.length),
    batches: furtherBatches(rows, needs.batches ?? 1, batches),
    ...(needs.losses?.startsWith('now') === true ? { losses } : {}),
    ...(memory === undefined ? {} : { memory }),
  });
  let after = result.state;
  if (strategy.needs.losses === 'now-and-after-step' && strategy.onStepEnd !== undefined) {
    after = strategy.onStepEnd(Float64Array.from(lossesAfter), objectives, after);
  }
  if (
    strategy.needs.losses?.endsWith('epoch-means') === true &&
    strategy.onEpochEnd !== undefined &&
    step % 2 === 1
  ) {
    after = strategy.onEpochEnd(Float64Array.from(losses), objectives, after);
  }
  return {
    result,
    next: { state: after, memory: result.memory ?? memory, step: step + 1 },
  };
}

/** All steps one after the other. */
export function takeAll(
  strategy: GradientStrategy,
  steps: readonly Step[],
  batches: Batches = 'other',
): Taken[] {
  let progress = begin(strategy, steps);
  return steps.map((step) => {
    const taken = take(strategy, step, progress, batches);
    progress = taken.next;
    return taken;
  });
}

/** Takes all steps; throws where something is not finite, is missing or was not asked for. */
export function answers(strategy: GradientStrategy, steps: readonly Step[]): undefined {
  takeAll(strategy, steps);
  return undefined;
}

/** The answer at the last step. */
export function lastOf(strategy: GradientStrategy, steps: readonly Step[]): IntegratedMatrix {
  // Properties are those of gradients without sampling noise: every batch has the same.
  return takeAll(strategy, steps, 'equal').at(-1)!.result;
}

function tensorsOf(columns: number): TensorColumns[] {
  const first = Math.ceil(columns / 2);
  return [
    { name: tensorNames[0]!, size: first },
    { name: tensorNames[1]!, size: columns - first },
  ];
}

/** The same rows, or the rows with their columns rotated by the number of the batch. */
function furtherBatches(rows: Matrix, count: number, batches: Batches): Matrix[] {
  return Array.from({ length: count - 1 }, (_, b) =>
    batches === 'equal'
      ? rows
      : rows.map((row) => row.map((_value, c) => row[(c + b + 1) % row.length]!)),
  );
}
