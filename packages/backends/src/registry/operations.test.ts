import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { innerProduct, numericGradient } from '../testing/numeric-gradient.ts';
import { arrayCases } from '../testing/operations/array-cases.ts';
import { convolutionCases } from '../testing/operations/convolution-cases.ts';
import { indexingCases } from '../testing/operations/indexing-cases.ts';
import { numberCases } from '../testing/operations/number-cases.ts';
import type { CaseInput, OperationCase } from '../testing/operations/operation-case.ts';
import { poolingCases } from '../testing/operations/pooling-cases.ts';
import { resizingCases } from '../testing/operations/resizing-cases.ts';
import { normal, normalValues } from '../testing/seeded-tensors.ts';
import { useBackend } from '../use-backend.ts';

/** float32 against float64, relative to the largest number or 1; second derivatives go through twice the operations. */
const tolerance = { once: 1e-5, twice: 1e-4 };

interface Derivatives {
  readonly value: readonly number[];
  /** By each float32 input. */
  readonly gradients: readonly (readonly number[])[];
  /** Gradients of the slope along a fixed direction. */
  readonly second: readonly (readonly number[])[] | null;
}

const isFloat = ({ dtype }: CaseInput): boolean => dtype === 'float32';

/** Derivatives of `Σ w (y + y²/2)` over the result y, with fixed weights w: where y is linear, it has curvature too. */
function derivativesOf({ inputs, run, onceOnly }: OperationCase): Derivatives {
  const found: Derivatives[] = [];
  tf.tidy(() => {
    const tensors = inputs.map(({ values, shape, dtype }) =>
      tf.tensor(Array.from(values), [...shape], dtype),
    );
    const floats = tensors.filter(({ dtype }) => dtype === 'float32');
    const call = (...given: tf.Tensor[]): tf.Tensor => {
      const rest = [...given];
      return run(...tensors.map((tensor) => (tensor.dtype === 'float32' ? rest.shift()! : tensor)));
    };
    const value = run(...tensors);
    const loss = (...given: tf.Tensor[]): tf.Tensor => {
      const y = call(...given);
      return tf.sum(tf.mul(tf.add(y, tf.mul(tf.square(y), 0.5)), normal(y.shape, 99)));
    };
    const gradients = tf.grads(loss);
    const slope = (...given: tf.Tensor[]): tf.Tensor =>
      tf.addN(
        gradients(given).map((gradient, k) =>
          tf.sum(tf.mul(gradient, normal(gradient.shape, 50 + k))),
        ),
      );
    const read = (all: tf.Tensor[]): number[][] => all.map((each) => Array.from(each.dataSync()));
    found.push({
      value: Array.from(value.dataSync()),
      gradients: read(gradients(floats)),
      second: onceOnly === undefined ? read(tf.grads(slope)(floats)) : null,
    });
  });
  return found[0]!;
}

/** The same by the definition and numeric derivatives in float64. */
function expectedOf({ inputs, reference }: OperationCase): Derivatives {
  const floats = inputs.filter(isFloat);
  const all = floats.flatMap(({ values }) => Array.from(values));
  const split = (numbers: ArrayLike<number>): number[][] => {
    let at = 0;
    return floats.map(({ values }) => Array.from(numbers).slice(at, (at += values.length)));
  };
  const compute = (numbers: ArrayLike<number>): readonly number[] => {
    const parts = split(numbers);
    return reference(
      ...inputs.map((input) => (isFloat(input) ? parts.shift()! : Array.from(input.values))),
    );
  };
  const value = compute(all);
  const weights = normalValues(value.length, 99);
  const direction = floats.flatMap(({ values }, k) =>
    Array.from(normalValues(values.length, 50 + k)),
  );
  const loss = (numbers: ArrayLike<number>): number =>
    innerProduct(
      weights,
      compute(numbers).map((y) => y + y ** 2 / 2),
    );
  const slope = (numbers: ArrayLike<number>): number =>
    numericGradient(([t]) => loss(Array.from(numbers, (x, i) => x + t! * direction[i]!)), [0])[0]!;
  return {
    value,
    gradients: split(numericGradient(loss, all)),
    second: split(numericGradient(slope, all)),
  };
}

function expectClose(
  found: readonly number[],
  expected: readonly number[],
  within: number,
  what: string,
): void {
  expect(found.length, what).toBe(expected.length);
  const magnitude = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  found.forEach((x, i) => {
    const difference = Math.abs(x - expected[i]!) / magnitude;
    expect(difference <= within, `${what}, number ${i}: ${x}, expected ${expected[i]}`).toBe(true);
  });
}

/** What backends share. */
const known = new Map<OperationCase, Derivatives>();

const cases = [
  ...poolingCases,
  ...convolutionCases,
  ...arrayCases,
  ...indexingCases,
  ...resizingCases,
  ...numberCases,
];

describe.each(testedBackends())(
  'operations on %s, with first and second derivatives',
  (backend) => {
    beforeAll(async () => {
      await useBackend(backend);
    });

    it.each(cases.map((each) => [each.name, each] as const))('%s', async (_, each) => {
      await tf.setBackend(backend);
      if (each.refusedBy?.[backend] !== undefined) {
        expect(() => derivativesOf(each)).toThrow();
        return;
      }
      const found = await expectConstantMemory(() => derivativesOf(each));
      const expected = known.get(each) ?? expectedOf(each);
      known.set(each, expected);
      expectClose(found.value, expected.value, tolerance.once, 'value');
      found.gradients.forEach((gradient, k) => {
        expectClose(gradient, expected.gradients[k]!, tolerance.once, `gradient by input ${k}`);
      });
      found.second?.forEach((gradient, k) => {
        expectClose(gradient, expected.second![k]!, tolerance.twice, `second derivative by ${k}`);
      });
    });
  },
);
