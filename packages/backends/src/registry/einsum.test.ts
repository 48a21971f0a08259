import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { relativeDifference } from '../testing/compare-backends.ts';
import { normal } from '../testing/seeded-tensors.ts';
import { useBackend } from '../use-backend.ts';

interface Case {
  readonly terms: readonly string[];
  readonly output: string;
  readonly sizes: Readonly<Record<string, number>>;
}

const labels = ['a', 'b', 'c', 'd', 'e'];
const term = fc.shuffledSubarray(labels, { maxLength: 4 }).map((chosen) => chosen.join(''));
const cases: fc.Arbitrary<Case> = fc.array(term, { minLength: 1, maxLength: 2 }).chain((terms) =>
  fc.record({
    terms: fc.constant(terms),
    output: fc.shuffledSubarray([...new Set(terms.join(''))]).map((chosen) => chosen.join('')),
    sizes: fc.record(
      Object.fromEntries(labels.map((label) => [label, fc.integer({ min: 1, max: 4 })])),
    ),
  }),
);

const equationOf = ({ terms, output }: Case): string => `${terms.join(',')}->${output}`;
const shapeOf = ({ sizes }: Case, axes: string): number[] =>
  Array.from(axes).map((axis) => sizes[axis]!);

/**
 * The definition in float64, over every combination of all labels: the einsum, and each factor's gradient of
 * `Σ upstream · einsum`.
 */
function reference(given: Case, factors: readonly ArrayLike<number>[], upstream: Float64Array) {
  const all = [...new Set(given.terms.join(''))];
  const lengths = all.map((label) => given.sizes[label]!);
  const position = (axes: string, at: readonly number[]): number =>
    Array.from(axes).reduce(
      (index, axis) => index * given.sizes[axis]! + at[all.indexOf(axis)]!,
      0,
    );
  const value = new Float64Array(tf.util.sizeFromShape(shapeOf(given, given.output)));
  const gradients = factors.map(({ length }) => new Float64Array(length));
  const count = tf.util.sizeFromShape(lengths);
  for (let flat = 0; flat < count; flat += 1) {
    const at = lengths.map(
      (length, axis) => Math.floor(flat / tf.util.sizeFromShape(lengths.slice(axis + 1))) % length,
    );
    const numbers = factors.map((factor, k) => factor[position(given.terms[k]!, at)]!);
    const out = position(given.output, at);
    value[out]! += numbers.reduce((product, number) => product * number, 1);
    gradients.forEach((gradient, k) => {
      const others = numbers.filter((_, other) => other !== k);
      gradient[position(given.terms[k]!, at)]! += others.reduce(
        (product, number) => product * number,
        upstream[out]!,
      );
    });
  }
  return { value, gradients };
}

describe.each(testedBackends())('tf.einsum on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it('has the value and the gradients of its definition', async () => {
    await expectConstantMemory(() => {
      fc.assert(
        fc.property(cases, (given) => {
          tf.tidy(() => {
            const factors = given.terms.map((axes, k) => normal(shapeOf(given, axes), k + 1));
            const upstream = normal(shapeOf(given, given.output), 9);
            const einsum = (...xs: tf.Tensor[]) => tf.einsum(equationOf(given), ...xs);
            const found = einsum(...factors);
            const gradients = tf.grads((...xs) => tf.sum(tf.mul(einsum(...xs), upstream)))(factors);
            const expected = reference(
              given,
              factors.map((factor) => factor.dataSync()),
              Float64Array.from(upstream.dataSync()),
            );
            expect(found.shape).toEqual(shapeOf(given, given.output));
            expect(relativeDifference([...found.dataSync()], expected.value)).toBeLessThan(1e-5);
            gradients.forEach((gradient, k) => {
              expect(gradient.shape).toEqual(factors[k]!.shape);
              const values = [...gradient.dataSync()];
              expect(relativeDifference(values, expected.gradients[k]!)).toBeLessThan(1e-5);
            });
          });
        }),
        { numRuns: 150 },
      );
    });
  });

  it('has second-order gradients', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const [x, y] = [normal([2, 3], 1), normal([3, 2], 2)];
        const cube = (a: tf.Tensor) => tf.sum(tf.pow(tf.einsum('ij,jk->ik', a, y), 3));
        const byMatMul = (a: tf.Tensor) => tf.sum(tf.pow(tf.matMul(a, y), 3));
        const second = (f: (a: tf.Tensor) => tf.Tensor) =>
          tf
            .grad((a) => tf.sum(tf.square(tf.grad(f)(a))))(x)
            .dataSync<'float32'>();
        expect(relativeDifference(second(cube), second(byMatMul))).toBeLessThan(1e-5);
      });
    });
  });

  it('takes integers, and tensors without numbers', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const a = tf.tensor2d([[1, 2, 3]], [1, 3], 'int32');
        const product = tf.einsum('ij,kj->ik', a, a);
        expect(product.dtype).toBe('int32');
        expect(product.arraySync()).toEqual([[14]]);
        const none = tf.einsum('ij,jk->ik', tf.zeros([2, 0]), tf.zeros([0, 3]));
        expect(none.arraySync()).toEqual([
          [0, 0, 0],
          [0, 0, 0],
        ]);
      });
    });
  });
});

describe.each(testedBackends().filter((name) => name !== 'tensorflow'))(
  'tf.einsum on %s, by our kernel',
  (backend) => {
    beforeAll(async () => {
      await useBackend(backend);
    });

    it.each([
      ['ij->ii', 'should have each label once in the output. Found `ii`.'],
      ['i->i', 'should have axis labels for every axis of input 0. Found 1 for shape [2, 3].'],
      ['ij', 'Equations without an arrow are not supported.'],
      ['ij,jk->ik', 'Expected 2 input tensors, received 1'],
    ])('refuses %s', async (equation, message) => {
      await expectConstantMemory(() => {
        const x = tf.ones([2, 3]);
        expect(() => tf.einsum(equation, x)).toThrow(message);
        x.dispose();
      });
    });
  },
);
