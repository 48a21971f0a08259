import {
  dispose,
  keep,
  type NamedTensorMap,
  type Tensor,
  type Variable,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { Json } from '../base/json.ts';
import { MultigradError } from '../base/errors.ts';
import { type NamedVariables, variablesByName } from '../network/run-variables.ts';
import type { CombiningOptimizer } from './optimizer.ts';
import type { PartSnapshot } from './part-snapshot.ts';
import type { Combination, Combinations } from '../rows/combination.ts';

/**
 * Computes the update of one variable: its new value and new slots, in the order of the optimizer's slot names. The old value
 * and slots are not read again, so kernels may write over them.
 */
export type UpdateVariable = (
  variable: Variable,
  slots: readonly Tensor[],
  gradient: Combination,
  step: UpdateStep,
) => readonly [value: Tensor, ...slots: Tensor[]];

/** The numbers that an update needs beside the variable. */
export interface UpdateStep {
  readonly learningRate: number;
  /** Coupled weight decay, added to the gradient. */
  readonly weightDecay: number;
  /** Number of this update, from 1. */
  readonly iteration: number;
}

/** The description of one kind of fused optimizer. */
export interface FusedKind {
  readonly kind: string;
  readonly slots: readonly string[];
  /** Its options, the learning rate and the weight decay among them. */
  readonly options: FusedOptions;
  readonly update: UpdateVariable;
}

/** Options of a fused optimizer, all of them given. */
export interface FusedOptions {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly [name: string]: number | boolean;
}

/**
 * An optimizer that takes the strategy's weights and the objectives' gradients, and adds up the gradients itself. On backends
 * with the kernel the combined gradient is never stored. Its slots are known by the names of the variables.
 *
 * Make one with {@link fusedMomentum} or {@link fusedAdam}; `dispose` frees its slots.
 */
export class FusedOptimizer implements CombiningOptimizer {
  readonly kind: string;
  readonly #kind: FusedKind;
  readonly #names: ReadonlyMap<Variable, string>;
  readonly #byOwnName: ReadonlyMap<string, Variable>;
  readonly #slots = new Map<string, Tensor[]>();
  #iteration = 0;
  #learningRate: number;

  constructor(kind: FusedKind, variables: NamedVariables) {
    const named = variablesByName(variables);
    this.kind = kind.kind;
    this.#kind = kind;
    this.#learningRate = kind.options.learningRate;
    this.#names = new Map(Array.from(named, ([name, variable]) => [variable, name]));
    this.#byOwnName = new Map(Array.from(named.values(), (variable) => [variable.name, variable]));
  }

  /** Makes the same optimizer, with empty slots, for other variables in place of its own. */
  forVariables(others: ReadonlyMap<Variable, Variable>): FusedOptimizer {
    const named = Array.from(this.#names).flatMap(([variable, name]) => {
      const other = others.get(variable);
      return other === undefined ? [] : [[name, other] as const];
    });
    const options = { ...this.#kind.options, learningRate: this.#learningRate };
    return new FusedOptimizer({ ...this.#kind, options }, new Map(named));
  }

  /** The step size of the next update. */
  get learningRate(): number {
    return this.#learningRate;
  }

  /** Its options, with the learning rate of the next update. */
  describe(): Json {
    return { ...this.#kind.options, learningRate: this.#learningRate };
  }

  /** Sets the step size of the next updates: finite, >= 0. */
  setLearningRate(rate: number): void {
    this.#learningRate = rate;
  }

  /** Changes the variables by gradients that have been added up; null leaves a variable as it is. */
  applyGradients(gradients: NamedTensorMap): void {
    this.applyCombinations(
      new Map(
        Object.entries(gradients as Record<string, Tensor | null>).map(([name, gradient]) => [
          name,
          gradient === null ? null : { rows: [gradient], weights: [1] },
        ]),
      ),
      0,
    );
  }

  /**
   * Changes the variables by gradients that have not been added up.
   *
   * @param combinations - by variable name; they stay the caller's
   * @param weightDecay - coupled weight decay beside the optimizer's own
   */
  applyCombinations(combinations: Combinations, weightDecay: number): void {
    this.#iteration += 1;
    const step = {
      learningRate: this.#learningRate,
      weightDecay: this.#kind.options.weightDecay + weightDecay,
      iteration: this.#iteration,
    };
    for (const [ownName, combination] of combinations) {
      if (combination === null) continue;
      const variable = this.#byOwnName.get(ownName);
      if (variable === undefined) {
        throw new MultigradError(
          'invalid-argument',
          `Optimizer \`${this.kind}\` should get gradients of the variables that it was made for. Found \`${ownName}\`.`,
        );
      }
      const name = this.#names.get(variable)!;
      const slots = this.#slots.get(name) ?? this.#kind.slots.map(() => zerosLike(variable));
      const [value, ...next] = this.#kind.update(variable, slots, combination, step);
      variable.assign(value);
      dispose([value, ...slots]);
      this.#slots.set(
        name,
        next.map((slot) => keep(slot)),
      );
    }
  }

  /** The iteration and the slots by name. The slots stay the property of this optimizer. */
  snapshot(): PartSnapshot {
    const tensors = new Map<string, Tensor>();
    for (const [name, slots] of this.#slots) {
      slots.forEach((slot, index) => tensors.set(`${this.#kind.slots[index]!}/${name}`, slot));
    }
    return { values: { iteration: this.#iteration }, tensors };
  }

  /** The reasons why a snapshot cannot be restored, a sentence each; changes nothing. */
  differences({ values, tensors }: PartSnapshot): readonly string[] {
    const differences = iterationOf(values) === null ? ['no number of the iteration'] : [];
    const left = new Set(tensors.keys());
    for (const [variable, name] of this.#names) {
      const keys = this.#kind.slots.map((slot) => `${slot}/${name}`);
      if (!keys.some((key) => tensors.has(key))) continue;
      for (const key of keys) {
        left.delete(key);
        const slot = tensors.get(key);
        if (slot !== undefined && sameForm(slot, variable)) continue;
        const found =
          slot === undefined ? 'is missing' : `is ${slot.dtype} [${slot.shape.join(', ')}]`;
        differences.push(
          `slot \`${key}\` ${found}, expected float32 [${variable.shape.join(', ')}]`,
        );
      }
    }
    for (const key of left) {
      differences.push(
        `slot \`${key}\` is not known here, expected ${this.#kind.slots.join(', ')} of the variables`,
      );
    }
    return differences;
  }

  /**
   * Replaces the slots by those of a snapshot, which stay the caller's.
   *
   * @throws MultigradError `structure-changed` when a slot is missing, not known, or of another shape; nothing has changed then
   */
  restore(snapshot: PartSnapshot): void {
    const differences = this.differences(snapshot);
    if (differences.length > 0) {
      throw new MultigradError(
        'structure-changed',
        `The snapshot does not belong to this optimizer \`${this.kind}\`: ${differences.join('; ')}.`,
      );
    }
    const { values, tensors } = snapshot;
    const restored = Array.from(this.#names.values(), (name) => {
      const slots = this.#kind.slots.map((slot) => tensors.get(`${slot}/${name}`));
      return [
        name,
        slots.flatMap((slot) => (slot === undefined ? [] : [keep(slot.clone())])),
      ] as const;
    });
    this.dispose();
    for (const [name, slots] of restored) if (slots.length > 0) this.#slots.set(name, slots);
    this.#iteration = iterationOf(values)!;
  }

  /** Frees the slots; the next update begins with empty ones. */
  dispose(): void {
    for (const slots of this.#slots.values()) dispose(slots);
    this.#slots.clear();
  }
}

function sameForm(slot: Tensor, { shape }: Variable): boolean {
  const { dtype, rank } = slot;
  return (
    dtype === 'float32' &&
    rank === shape.length &&
    shape.every((side, axis) => side === slot.shape[axis])
  );
}

function iterationOf(values: Json): number | null {
  if (typeof values !== 'object' || values === null || !('iteration' in values)) return null;
  const { iteration } = values;
  return typeof iteration === 'number' && Number.isSafeInteger(iteration) && iteration >= 0
    ? iteration
    : null;
}
