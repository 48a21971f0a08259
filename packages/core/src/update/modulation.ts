import { sum, square, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import {
  type Combination,
  type Combinations,
  materialise,
  scaledCombination,
} from '../rows/combination.ts';

/** What is done to one variable's part of an update. */
export interface Modulation {
  /** Factor on the integrated gradient, finite, at least 0. @defaultValue 1 */
  readonly gradient?: number;
  /**
   * Changes the gradient after the factor; returns a new tensor of the same shape. It runs in a `tf.tidy`. Ranks hold slices
   * of gradients, so that they refuse it. @defaultValue no change
   */
  readonly change?: (gradient: Tensor) => Tensor;
  /** Factor on the optimizer's change, as one on the learning rate; finite, at least 0. @defaultValue 1 */
  readonly rate?: number;
}

/** By variable what is done to its part of an update; null where it gets no update at all. */
export type Modulations = ReadonlyMap<Variable, Modulation | null>;

/** What a step has measured before its update. */
export interface MeasuredStep<Name extends string = string> {
  /** Number of the step, from 0. */
  readonly step: number;
  readonly losses: Readonly<Partial<Record<Name, number>>>;
  readonly metrics: Readonly<Partial<Record<Name, Readonly<Record<string, number>>>>>;
  /**
   * Squared norms of the integrated gradients of lists of variables, read in one transfer; 0 for variables without a
   * gradient at this step.
   */
  readonly squaredNorms: (lists: readonly (readonly Variable[])[]) => Promise<number[]>;
}

/** How a step's update is modulated. */
export interface StepModulation {
  /** What is not named gets its plain update. */
  readonly variables: Modulations;
  /** Called once the step has succeeded: the moment to take over a new state. */
  readonly accept?: () => void;
}

/** Decides how a step's update is modulated, from what the step has measured. */
export type Modulate<Name extends string = string> = (
  step: MeasuredStep<Name>,
) => StepModulation | Promise<StepModulation>;

/**
 * Gradients as modulated: scaled, changed, or left out.
 *
 * @param modulations - by variable name
 * @param made - takes the tensors that this makes
 * @throws MultigradError `invalid-argument` for a factor that is no finite number >= 0, or a change of another shape
 */
export function modulatedCombinations(
  combinations: Combinations,
  modulations: ReadonlyMap<string, Modulation | null>,
  made: Tensor[],
): Combinations {
  return new Map(
    Array.from(combinations, ([name, combination]) => {
      const modulation = modulations.get(name);
      if (combination === null || modulation === undefined) return [name, combination];
      if (modulation === null) return [name, null];
      return [name, modulated(name, combination, modulation, made)];
    }),
  );
}

function modulated(
  name: string,
  combination: Combination,
  { gradient = 1, change, rate = 1 }: Modulation,
  made: Tensor[],
): Combination {
  checkFactor(name, 'gradient', gradient);
  checkFactor(name, 'rate', rate);
  const scaled = gradient === 1 ? combination : scaledCombination(combination, gradient);
  if (change === undefined) return scaled;
  const changed = tidy(() => change(materialise(scaled)));
  made.push(changed);
  const { shape } = combination.rows[0]!;
  if (changed.shape.join() === shape.join()) return { rows: [changed], weights: [1] };
  throw new MultigradError(
    'invalid-argument',
    `A modulation should keep the shape of the gradient of \`${name}\`, [${shape.join(', ')}]. Found [${changed.shape.join(', ')}].`,
  );
}

function checkFactor(name: string, what: string, factor: number): void {
  if (Number.isFinite(factor) && factor >= 0) return;
  throw new MultigradError(
    'invalid-argument',
    `The factor \`${what}\` of a modulation should be a finite number >= 0. Found ${factor} for \`${name}\`.`,
  );
}

/** Squared norms of lists of gradients, read in one transfer each. */
export async function squaredNormsOf(
  combinations: Combinations,
  lists: readonly (readonly string[])[],
): Promise<number[]> {
  const squares = tidy(() =>
    lists.map((names) =>
      names.flatMap((name) => {
        const combination = combinations.get(name) ?? null;
        return combination === null ? [] : [sum(square(materialise(combination)))];
      }),
    ),
  );
  try {
    const read = await Promise.all(
      squares.map(async (ofList) =>
        Promise.all(ofList.map(async (one) => (await one.data<'float32'>())[0]!)),
      ),
    );
    return read.map((ofList) => ofList.reduce((total, one) => total + one, 0));
  } finally {
    squares.flat().forEach((one) => one.dispose());
  }
}
