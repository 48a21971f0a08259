import { integrateGradients } from '@multigrad/core';
import { normalTensor, only } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

export const objectives = ['weighted', 'squares'] as const;

/** Gradients of one objective, variable by variable; null where it does not reach the variable. */
export type Gradients = readonly (readonly number[] | null)[];

/** A model on its inputs, as two losses of its variables. */
export interface Bench {
  readonly variables: readonly tf.Variable[];
  readonly losses: () => Record<(typeof objectives)[number], tf.Scalar>;
  readonly dispose: () => void;
}

/** The two losses of an output. */
export function lossesOf(y: tf.Tensor): Record<(typeof objectives)[number], tf.Scalar> {
  return {
    weighted: tf.mean<tf.Scalar>(tf.mul(y, normalTensor(y.shape, 50))),
    squares: tf.mean<tf.Scalar>(tf.square(tf.sub(y, normalTensor(y.shape, 60)))),
  };
}

function numbersOf(gradients: tf.NamedTensorMap, variables: readonly tf.Variable[]): Gradients {
  return variables.map(({ name }) => {
    const gradient = gradients[name] as tf.Tensor | null | undefined;
    return gradient == null ? null : [...gradient.dataSync()];
  });
}

/** Each objective's gradients by `tf.variableGrads` alone. */
export function separately({ losses, variables }: Bench): Gradients[] {
  return objectives.map((name) => {
    const { value, grads } = tf.variableGrads(() => losses()[name], [...variables]);
    const numbers = numbersOf(grads, variables);
    tf.dispose([value, grads]);
    return numbers;
  });
}

/** Each objective's gradients from one forward pass of both. */
export async function together({ losses, variables }: Bench): Promise<Gradients[]> {
  const found: Gradients[] = [];
  for (const name of objectives) {
    const options = { singles: 'weighted' } as const;
    const { gradients } = await integrateGradients(only(name), losses, variables, options);
    found.push(numbersOf(gradients, variables));
    tf.dispose(gradients);
  }
  return found;
}

/** Whether gradients agree with central differences of the losses, along two directions for each variable. */
export function agreesWithDifferences(
  { losses, variables }: Bench,
  found: readonly Gradients[],
): boolean {
  const step = 1e-2;
  return objectives.every((name, objective) =>
    variables.every((variable, v) =>
      [1, 2].every((seed) =>
        tf.tidy(() => {
          const direction = normalTensor(variable.shape, 1000 * v + seed);
          const unit = tf.div(direction, tf.norm(direction));
          const start = variable.clone();
          const at = (by: number): number => {
            variable.assign(tf.add(start, tf.mul(unit, by)));
            return losses()[name].dataSync()[0]!;
          };
          const slope = (at(step) - at(-step)) / (2 * step);
          variable.assign(start);
          const gradient = found[objective]![v] ?? [];
          const along = unit.dataSync();
          const expected = gradient.reduce((sum, value, i) => sum + value * along[i]!, 0);
          const scale = Math.max(Math.hypot(...gradient), Math.abs(slope), 1e-3);
          return Math.abs(slope - expected) / scale < 2e-2;
        }),
      ),
    ),
  );
}

/**
 * Expects the gradients of a reference within 1e-5 of the largest magnitude: of the same variable's, or of all where some
 * gradient is zero by its nature (of a bias before a softmax) and only rounding is left.
 */
export function expectGradients(
  { variables }: Bench,
  found: readonly Gradients[],
  reference: readonly Gradients[],
  relativeTo: 'variable' | 'all' = 'variable',
): void {
  objectives.forEach((name, objective) => {
    const largestOfAll = largestOf(reference[objective]!.flatMap((values) => values ?? []));
    variables.forEach((variable, v) => {
      const [values, expected] = [found[objective]![v], reference[objective]![v]];
      const where = `${name}, ${variable.name}`;
      if (expected == null) {
        expect(values?.every((value) => value === 0) ?? true, where).toBe(true);
        return;
      }
      expect(values, where).toHaveLength(expected.length);
      const largest = relativeTo === 'all' ? largestOfAll : largestOf(expected);
      const difference = largestOf(expected.map((x, i) => x - values![i]!));
      expect(difference, where).toBeLessThanOrEqual(1e-5 * largest);
    });
  });
}

/** Expects a gradient that is not all zeros, which would prove nothing. */
export function expectEffect(found: readonly Gradients[]): void {
  expect(largestOf(found.flat().flatMap((values) => values ?? []))).toBeGreaterThan(1e-4);
}

function largestOf(values: readonly number[]): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}
