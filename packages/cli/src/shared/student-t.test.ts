import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  incompleteBeta,
  logGamma,
  normalTail,
  powerOfT,
  twoSidedP,
  twoSidedQuantile,
} from './student-t.ts';

// Expected numbers are those of SciPy 1.17.1: stats.t, stats.norm and stats.nct.

const close = (found: number, expected: number, relative: number): void =>
  expect(Math.abs(found - expected), `${found} for ${expected}`).toBeLessThanOrEqual(
    relative * Math.abs(expected),
  );

describe('twoSidedP', () => {
  it.each([
    [0.1, 1, 0.936548965138893],
    [0.1, 30, 0.9210096117902712],
    [1, 1, 0.5000000000000001],
    [1, 4, 0.37390096630005887],
    [2.5, 1, 0.24223788318168682],
    [2.5, 2, 0.12961172022151082],
    [2.5, 9, 0.033861827682985735],
    [12, 4, 0.000276428548502973],
    [12, 30, 5.580185415199261e-13],
    [40, 2, 0.0006244146721847406],
    [40, 30, 1.3726045194406417e-27],
  ])('of %d with %d degrees of freedom', (t, freedom, expected) => {
    close(twoSidedP(t, freedom), expected, 1e-11);
    close(twoSidedP(-t, freedom), expected, 1e-11);
  });
});

describe('twoSidedQuantile', () => {
  it.each([
    [0.05, 1, 12.706204736174705],
    [0.05, 2, 4.302652729749464],
    [0.05, 4, 2.7764451051977943],
    [0.01, 9, 3.2498355415921263],
    [0.01, 29, 2.7563859036706053],
    [0.5, 4, 0.7406970841126829],
  ])('of %d with %d degrees of freedom', (p, freedom, expected) => {
    close(twoSidedQuantile(p, freedom), expected, 1e-11);
  });

  it('undoes twoSidedP', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (p, freedom) => {
          close(twoSidedP(twoSidedQuantile(p, freedom), freedom), p, 1e-9);
        },
      ),
    );
  });
});

describe('normalTail', () => {
  it.each([
    [-6, 0.9999999990134123],
    [-1, 0.8413447460685429],
    [0, 0.5],
    [0.3, 0.3820885778110474],
    [2.9, 0.0018658133003840375],
    [3.1, 0.0009676032132183563],
    [8, 6.22096057427174e-16],
  ])('above %d', (x, expected) => close(normalTail(x), expected, 1e-12));
});

describe('logGamma and incompleteBeta', () => {
  it('agree with factorials and with the binomial distribution', () => {
    let factorial = 1;
    for (let n = 1; n < 30; n += 1) {
      close(Math.exp(logGamma(n)), factorial, 1e-11);
      factorial *= n;
    }
    close(logGamma(0.5), Math.log(Math.sqrt(Math.PI)), 1e-13);
    // P(X ≥ 3) of 5 fair throws.
    close(incompleteBeta(0.5, 3, 3), 0.5, 1e-13);
    close(incompleteBeta(0.3, 3, 3), 10 * 0.027 * 0.49 + 5 * 0.0081 * 0.7 + 0.00243, 1e-13);
  });
});

describe('powerOfT', () => {
  it.each([
    [0.2, 2, 0.05197844977094977],
    [0.2, 20, 0.13595628876736884],
    [0.2, 100, 0.508264806621038],
    [0.8, 3, 0.13488539923090487],
    [0.8, 5, 0.28099206351737355],
    [0.8, 20, 0.9238987553885781],
    [2, 2, 0.17570741109776006],
    [2, 5, 0.9088848681009402],
    [4, 3, 0.9084887436810315],
    [4, 5, 0.9999904111115786],
  ])('of an effect of %d with %d values', (effect, n, expected) =>
    close(powerOfT(effect, n, 0.05), expected, 1e-7),
  );

  it('is the level of the test where there is no effect', () => {
    for (const n of [2, 3, 10, 200]) close(powerOfT(0, n, 0.05), 0.05, 1e-7);
  });
});
