import {
  type Gramian,
  gramianOf,
  groupGradients,
  isZeroWithinError,
  minNormPoint,
  quadraticForm,
} from '@multigrad/core/strategy';
import { dot, norm } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mmpareto, type MmparetoOptions } from './index.ts';

// Gradients of float32: their Gramian's error, and the greatest factor that it allows.
const relativeError = 2 ** -22;
const greatest = 1 / (2 * Math.sqrt(relativeError));

type Rows = readonly (readonly number[])[];

const inFloat32 = (rows: Rows): Gramian => ({ ...gramianOf(rows), relativeError });

function integrate(gramian: Gramian, options: MmparetoOptions = {}) {
  const objectives = Array.from({ length: gramian.size }, (_, k) => `objective-${k}`);
  return mmpareto(options).integrate(groupGradients({ objectives, gramian }), null);
}

const combine = (rows: Rows, weights: ArrayLike<number>): number[] =>
  rows[0]!.map((_, at) => rows.reduce((total, row, k) => total + weights[k]! * row[at]!, 0));

const entry = fc.integer({ min: -1000, max: 1000 }).map((value) => value / 1000);
const row = (length: number) => fc.array(entry, { minLength: length, maxLength: length });
const exponent = fc.double({ min: -18, max: 0, noNaN: true });

/** Two to four gradients, the first of which is up to 18 powers of ten smaller than the others. */
const uneven = fc
  .integer({ min: 2, max: 4 })
  .chain((size) => fc.tuple(fc.array(row(6), { minLength: size, maxLength: size }), exponent))
  .map(([rows, power]) =>
    rows.map((values, k) => values.map((value) => (k === 0 ? value * 10 ** power : value))),
  )
  .filter((rows) => rows.every((values) => norm(values) > 0));

describe('a shortest combination that is no longer than rounding', () => {
  it('is rescaled by what rounding allows at most, and is noted', () => {
    const [tiny, other] = [
      [1e-9, 0],
      [-1, 1],
    ];
    const { weights, note, diagnostics } = integrate(inFloat32([tiny, other]), { gamma: 1 });
    expect(note).toBe('noise');
    // |h| counts as 2 √e · 2 |g_2|.
    const least = 4 * Math.sqrt(relativeError) * Math.SQRT2;
    expect(diagnostics!['lambda']).toBeCloseTo(Math.SQRT2 / least, 6);
    expect(diagnostics!['ratio']).toBeGreaterThan(7e8 * 0.99);
    expect(Math.max(...weights)).toBeLessThanOrEqual(2 * greatest);
  });

  it('is rescaled alike on every backend, however exactly its products are added up', () => {
    const rows = [
      [1e-3, 0],
      [-1, 1],
    ];
    const exact = integrate(inFloat32(rows));
    const summed = integrate({ ...gramianOf(rows), relativeError: 2 ** -18 });
    expect(exact.note).toBe('noise');
    expect(summed.weights).toEqual(exact.weights);
  });

  it('makes no weight greater than K γ / (2 √e), whatever vanishes', () => {
    fc.assert(
      fc.property(uneven, fc.double({ min: 1, max: 4, noNaN: true }), (rows, gamma) => {
        const { weights, diagnostics } = integrate(inFloat32(rows), { gamma });
        const most = rows.length * gamma * greatest;
        for (const weight of weights) expect(weight).toBeLessThanOrEqual(most * (1 + 1e-12));
        expect(diagnostics?.['lambda'] ?? 1).toBeLessThanOrEqual(greatest);
      }),
      { numRuns: 1000 },
    );
  });

  it('is met with by these gradients, and so are healthy ones', () => {
    const notes = fc.sample(uneven, { numRuns: 400, seed: 1 }).map((rows) => {
      return integrate(inFloat32(rows)).note ?? 'sum';
    });
    expect(new Set(notes)).toEqual(new Set(['noise', 'conflict', 'sum']));
  });

  it('keeps its direction, and is shorter than γ times the sum', () => {
    fc.assert(
      fc.property(uneven, (rows) => {
        const { weights, note } = integrate(inFloat32(rows), { gamma: 1 });
        fc.pre(note === 'noise');
        const total = weights.reduce((all, weight) => all + weight, 0);
        const shortest = minNormPoint(inFloat32(rows)).weights;
        weights.forEach((weight, k) => expect(weight / total).toBeCloseTo(shortest[k]!, 12));
        const sum = combine(
          rows,
          rows.map(() => 1),
        );
        expect(norm(combine(rows, weights))).toBeLessThan(norm(sum) * (1 + 1e-6));
      }),
      { numRuns: 500 },
    );
  });

  it('raises no loss', () => {
    fc.assert(
      fc.property(uneven, (rows) => {
        const { weights, note } = integrate(inFloat32(rows));
        fc.pre(note === 'noise');
        const update = combine(rows, weights);
        for (const values of rows) {
          const cosine = dot(update, values) / (norm(update) * norm(values));
          expect(cosine).toBeGreaterThanOrEqual(-Math.sqrt(relativeError));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the scale of all gradients', () => {
    fc.assert(
      fc.property(uneven, fc.integer({ min: -40, max: 40 }), (rows, power) => {
        const scaled = rows.map((values) => values.map((value) => value * 2 ** power));
        const [here, there] = [integrate(inFloat32(rows)), integrate(inFloat32(scaled))];
        expect(there.note).toBe(here.note);
        here.weights.forEach((weight, k) => {
          expect(Math.abs(there.weights[k]! - weight)).toBeLessThanOrEqual(1e-9 * Math.abs(weight));
        });
      }),
    );
  });
});

describe('a longer one', () => {
  it('has the paper’s factor to the last bit: the stated error changes nothing', () => {
    let compared = 0;
    fc.assert(
      fc.property(uneven, (rows) => {
        const stated = inFloat32(rows);
        const exact = { ...stated, relativeError: 0 };
        const { note, ...found } = integrate(stated);
        const longest = Math.max(...rows.map(norm));
        const { weights, stationary } = minNormPoint(exact);
        const squared = quadraticForm(exact, weights);
        fc.pre(!stationary && squared > 4 * (relativeError + 4 * 2 ** -50) * longest ** 2 * 1.001);
        const { note: before, ...paper } = integrate(exact);
        expect(note).toBe(before);
        expect(found).toEqual(paper);
        compared += note === 'conflict' ? 1 : 0;
      }),
      { numRuns: 1000 },
    );
    expect(compared).toBeGreaterThan(50);
  });

  it('goes over into the bounded one without a jump', () => {
    const lambdaOf = (size: number): number =>
      integrate(
        inFloat32([
          [size, 0],
          [-1, 1],
        ]),
      ).diagnostics!['lambda']!;
    // The shortest combination is nearly the first gradient: the border is at 2 √e |g_2|.
    const border = 2 * Math.sqrt(relativeError + 2 * 2 ** -50) * Math.SQRT2;
    const [below, above] = [lambdaOf(border * 0.999), lambdaOf(border * 1.001)];
    expect(Math.abs(below - above) / above).toBeLessThan(2e-3);
    expect(isZeroWithinError(inFloat32([[border, 0]]), border ** 2, border)).toBe(false);
  });
});

describe("rescale: 'tensor'", () => {
  it('bounds the factor of each tensor by its own gradients', () => {
    const tensors = {
      // The first objective does not depend on it, but for rounding.
      vanishing: [
        [1e-9, 1e-9],
        [-1, 2],
      ],
      healthy: [
        [1, 0],
        [-1, 0.5],
      ],
    };
    const gramians = Object.entries(tensors).map(
      ([name, rows]) => [name, inFloat32(rows)] as const,
    );
    const whole = tensors.vanishing.map((values, k) => [...values, ...tensors.healthy[k]!]);
    const strategy = mmpareto({ rescale: 'tensor', gamma: 1 });
    const { note, diagnostics, tensorWeights } = strategy.integrate(
      groupGradients({
        objectives: ['a', 'b'],
        gramian: inFloat32(whole),
        tensorGramians: new Map(gramians),
      }),
      null,
    );
    expect(note).toBe('conflict');
    for (const weights of tensorWeights!.values()) {
      for (const weight of weights) expect(weight).toBeLessThanOrEqual(2 * greatest);
    }
    expect(diagnostics!['lambda']).toBeLessThanOrEqual(greatest);
  });
});
