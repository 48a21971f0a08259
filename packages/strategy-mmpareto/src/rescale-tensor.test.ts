import { addGramians, type Gramian, gramianOf, groupGradients } from '@multigrad/core/strategy';
import { dot, norm } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mmpareto, type MmparetoOptions } from './index.ts';

type Rows = readonly (readonly number[])[];

/** Integrates a group of several tensors, each given by its K rows. */
function integrate(tensors: Readonly<Record<string, Rows>>, options: MmparetoOptions = {}) {
  const tensorGramians = new Map(
    Object.entries(tensors).map(([name, rows]) => [name, gramianOf(rows)] as const),
  );
  const jacobian = jacobianOf(tensors);
  const integration = mmpareto({ rescale: 'tensor', ...options }).integrate(
    groupGradients({
      objectives: jacobian.map((_, k) => `objective-${k}`),
      gramian: gramianOf(jacobian),
      tensorGramians,
    }),
    null,
  );
  const update = Object.entries(tensors).flatMap(([name, rows]) => {
    const weights = integration.tensorWeights?.get(name) ?? integration.weights;
    return combine(rows, weights);
  });
  return { ...integration, update };
}

function jacobianOf(tensors: Readonly<Record<string, Rows>>): number[][] {
  const all = Object.values(tensors);
  return all[0]!.map((_, k) => all.flatMap((rows) => [...rows[k]!]));
}

function combine(rows: Rows, weights: ArrayLike<number>): number[] {
  return rows[0]!.map((_, at) => rows.reduce((total, row, k) => total + weights[k]! * row[at]!, 0));
}

/** The official code's weights 2a of two gradients. */
function officialWeights(tensors: Readonly<Record<string, Rows>>): [number, number] {
  const [first, second] = jacobianOf(tensors) as [number[], number[]];
  const [v11, v12, v22] = [dot(first, first), dot(first, second), dot(second, second)];
  let share = 0.5;
  if (v12 <= 0) {
    if (v12 >= v11) share = 0.999;
    else if (v12 >= v22) share = 0.001;
    else share = (v22 - v12) / (v11 + v22 - 2 * v12);
  }
  return [2 * share, 2 * (1 - share)];
}

/** The official code's steps on two gradients' vectors, tensor by tensor. */
function officialUpdate(tensors: Readonly<Record<string, Rows>>, gamma: number): number[] {
  const weights = officialWeights(tensors);
  return Object.values(tensors).flatMap((rows) => {
    const direction = combine(rows, weights);
    const ratio = norm(combine(rows, [1, 1])) / norm(direction);
    return direction.map((value) => (ratio > 1 ? ratio * value * gamma : value * gamma));
  });
}

const counterexample = { first: [[-2], [1]], second: [[-1], [0]] };

describe("rescale: 'tensor'", () => {
  it('can raise a loss, unlike the group’s rescaling', () => {
    const { update, note, diagnostics } = integrate(counterexample);
    [1.5, -1.5].forEach((value, at) => expect(update[at]).toBeCloseTo(value, 12));
    const [multimodal] = jacobianOf(counterexample);
    expect(dot(update, multimodal!)).toBeCloseTo(-1.5, 12);
    expect(note).toBe('conflict');
    expect(diagnostics?.['lambda']).toBeCloseTo(5, 12);
    const group = integrate(counterexample, { rescale: 'group' });
    expect(dot(group.update, multimodal!)).toBeGreaterThan(0);
    expect(group.update[0]! / group.update[1]!).toBeCloseTo(-1 / 3, 12);
  });

  it('stretches no tensor whose direction is zero by the rule for stationary gradients', () => {
    // The direction is 4/3 and 2/3: in the first tensor 2e-7 / (8/3) is left of what cancels, and its error is 2⁻⁴⁸.
    const e = 2 ** -23.25 / 0.75;
    const first = {
      ...gramianOf([
        [1, e],
        [-2, e],
      ]),
      relativeError: 2 ** -49,
    };
    const second = gramianOf([[0.5], [0.5]]);
    const tensorGramians = new Map([
      ['first', first],
      ['second', second],
    ]);
    const { tensorWeights } = mmpareto({ rescale: 'tensor' }).integrate(
      groupGradients({
        objectives: ['a', 'b'],
        gramian: addGramians(tensorGramians.values()),
        tensorGramians,
      }),
      null,
    );
    expect(tensorWeights?.has('first')).toBe(false);
  });

  it('does what the official code does', () => {
    const value = fc.integer({ min: -1000, max: 1000 }).map((integer) => integer / 100);
    const row = fc.array(value, { minLength: 3, maxLength: 3 });
    const tensor = fc.array(row, { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(tensor, tensor, tensor, (first, second, third) => {
        const tensors = { first, second, third };
        const [a, b] = jacobianOf(tensors) as [number[], number[]];
        // Rounding decides on which side of a right angle two gradients are.
        fc.pre(Math.abs(dot(a, b)) > 1e-9 * norm(a) * norm(b) || norm(a) * norm(b) === 0);
        const { update, note } = integrate(tensors);
        fc.pre(note !== 'stationary');
        const expected = officialUpdate(tensors, 1.5);
        Object.values(tensors).forEach(([ofA, ofB], tensor) => {
          const entries = expected.slice(3 * tensor, 3 * tensor + 3);
          // Where a tensor's gradients all but cancel, rounding decides on the code's direction.
          const weights = note === 'conflict' ? officialWeights(tensors) : [1, 1];
          const direction = combine([ofA!, ofB!], weights);
          if (norm(direction) <= 1e-3 * (norm(ofA!) + norm(ofB!))) return;
          entries.forEach((entry, at) => {
            const tolerance = 1e-6 * norm(entries);
            expect(Math.abs(update[3 * tensor + at]! - entry)).toBeLessThanOrEqual(tolerance);
          });
        });
      }),
      { numRuns: 300 },
    );
  });

  it('takes a right angle for a conflict, as the official code does and the paper does not', () => {
    const perpendicular = { first: [[1], [0]], second: [[0], [2]] };
    expect(integrate(perpendicular).note).toBe('conflict');
    expect(integrate(perpendicular, { rescale: 'group' }).note).toBeUndefined();
    // a = (.8, .2), h = (1.6, .8): no tensor is longer than h except the second.
    const { update } = integrate(perpendicular, { gamma: 1 });
    [1.6, 2].forEach((value, at) => expect(update[at]).toBeCloseTo(value, 12));
  });

  it('keeps weights beyond .999 where the code’s solver does', () => {
    const uneven = {
      first: [
        [0.01, 0],
        [-0.005, 1],
      ],
    };
    const expected = officialUpdate(uneven, 1.5);
    const { update, weights } = integrate(uneven);
    expect(weights[0]! / (weights[0]! + weights[1]!)).toBeGreaterThan(0.9998);
    expected.forEach((entry, at) => expect(update[at]).toBeCloseTo(entry, 9));
  });

  it('is gamma times the sum of gradients that agree, and of one gradient', () => {
    const agreeing = { first: [[1], [0.5]], second: [[-1], [-2]] };
    expect([...integrate(agreeing).weights]).toEqual([1.5, 1.5]);
    expect(integrate(agreeing).tensorWeights).toBeUndefined();
    expect([...integrate({ first: [[3]] }).weights]).toEqual([1.5]);
  });

  it('lets a zero gradient take no part, to the update that the official code has', () => {
    const oneSided = { first: [[0], [1]], second: [[0], [-3]] };
    expect(integrate(oneSided).update).toEqual([1.5, -4.5]);
    const expected = officialUpdate(oneSided, 1.5);
    expected.forEach((entry, at) => expect(integrate(oneSided).update[at]).toBeCloseTo(entry, 12));
  });

  it('gives a tensor without a direction no update, where the official code has NaN', () => {
    // a = (2/3, 1/3): h is zero in the first tensor though s is not, and both are zero in the third.
    const cancelled = { first: [[1], [-2]], second: [[0.5], [0.5]], third: [[0], [0]] };
    const { update, tensorWeights } = integrate(cancelled);
    [0, 1.5, 0].forEach((value, at) => expect(update[at]).toBeCloseTo(value, 12));
    expect([...(tensorWeights?.keys() ?? [])]).not.toContain('first');
  });

  it('leaves a tensor alone whose gradients add up to zero', () => {
    // Rounding makes the first tensor's |s|² negative.
    const balanced = {
      first: [
        [1, 1],
        [36, -2],
        [-37, 1],
      ],
      second: [[0.5], [0.6], [0.7]],
    };
    const { weights, tensorWeights } = integrate(balanced);
    expect([...weights].every(Number.isFinite)).toBe(true);
    expect(Math.hypot(...combine(balanced.first, weights))).toBeGreaterThan(0.001);
    expect(tensorWeights?.has('first')).toBe(false);
  });

  it('caps each tensor’s factor on request', () => {
    const { update, diagnostics } = integrate(counterexample, { gamma: 1, maxRescale: 2 });
    // h = (.2, −.6) with the factors 2 instead of 5, and 5/3.
    [0.4, -1].forEach((value, at) => expect(update[at]).toBeCloseTo(value, 12));
    expect(diagnostics).toEqual({ lambda: 2 });
    const capped = integrate(counterexample, { gamma: 1, maxRescale: 1 });
    expect(capped.tensorWeights?.size).toBe(0);
    [0.2, -0.6].forEach((value, at) => expect(capped.update[at]).toBeCloseTo(value, 12));
  });

  it('gives a stationary group no update', () => {
    const opposite = { first: [[1], [-1]], second: [[2], [-2]] };
    const { update, note, tensorWeights } = integrate(opposite);
    expect(update.map(Math.abs)).toEqual([0, 0]);
    expect(note).toBe('stationary');
    expect(tensorWeights).toBeUndefined();
  });

  it('treats three objectives by the pair in conflict', () => {
    const three = { first: [[0], [1], [1]], second: [[1], [-1], [0]] };
    // a = (.6, .4, 0), h = 3 (.4, .2), s = (2, 0): only the first tensor is stretched.
    const { update } = integrate(three, { gamma: 1 });
    [2, 0.6].forEach((value, at) => expect(update[at]).toBeCloseTo(value, 9));
  });

  it('has the same weights at every scale', () => {
    const expected = integrate(counterexample);
    for (const scale of [1e-150, 1e-15, 1e15, 1e150]) {
      const scaled = Object.fromEntries(
        Object.entries(counterexample).map(([name, rows]) => [
          name,
          rows.map((row) => row.map((value) => value * scale)),
        ]),
      );
      integrate(scaled).update.forEach((value, at) => {
        expect(value / scale / expected.update[at]!).toBeCloseTo(1, 9);
      });
    }
  });

  it('reads no Gramians of tensors when it rescales the group', () => {
    const seen = { objectives: ['a', 'b'], gramian: gramianOf([[1], [-2]]) } satisfies {
      objectives: string[];
      gramian: Gramian;
    };
    expect(() => mmpareto().integrate(groupGradients(seen), null)).not.toThrow();
    expect(() => mmpareto({ rescale: 'tensor' }).integrate(groupGradients(seen), null)).toThrow(
      'tensorGramians',
    );
  });
});
