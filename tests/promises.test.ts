import { type GradientStrategy, integrateMatrix } from '@multigrad/core/strategy';
import { cagrad } from '@multigrad/strategy-cagrad';
import { dualproj } from '@multigrad/strategy-dualproj';
import { edm } from '@multigrad/strategy-edm';
import { fairgrad } from '@multigrad/strategy-fairgrad';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { nashMtl } from '@multigrad/strategy-nash-mtl';
import { upgrad } from '@multigrad/strategy-upgrad';
import { dot, entangledRows, jacobians } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// The kit tests what a plugin promises with its default options. What a README promises of other options is tested here, over
// all of them.

const magnitude = (least: number, most: number): fc.Arbitrary<number> =>
  fc
    .double({ min: Math.log(least), max: Math.log(most), noNaN: true })
    .map((power) => Math.min(most, Math.max(least, Math.exp(power))));

/** Preferences far apart, some of them zero. */
const preference = fc.dictionary(
  fc.nat(11).map(String),
  fc.oneof(fc.constant(0), magnitude(1e-3, 1e3)),
);

const promised: Record<string, fc.Arbitrary<GradientStrategy>> = {
  'CAGrad with c >= 1': fc
    .record({
      c: fc.oneof(fc.constantFrom(1, 1 + 2 ** -30), magnitude(1, 1e6)),
      rescale: fc.constantFrom('none' as const, 'square' as const, 'linear' as const),
      preference,
      clip: fc.boolean(),
    })
    .map(cagrad),
  'DualProj with any preference': preference.map((own) => dualproj({ preference: own })),
  'UPGrad with any preference': preference.map((own) => upgrad({ preference: own })),
  EDM: fc.constant(edm()),
  'FairGrad with any alpha': magnitude(0.1, 100).map((alpha) => fairgrad({ alpha })),
  'MGDA with any normalization, applied to what is normalized': fc
    .constantFrom('none' as const, 'l2' as const, 'loss' as const, 'loss+' as const)
    .map((normalization) => mgda({ normalization, applyTo: 'normalized' })),
  'MMPareto with any gamma, rescaled by group': fc
    .record({
      gamma: magnitude(1, 1e3),
      rescale: fc.constant('group' as const),
      maxRescale: fc.option(magnitude(1, 1e6)),
    })
    .map(mmpareto),
  'Nash-MTL with any length': fc
    .option(magnitude(1e-3, 1e3))
    .map((maxNorm) => nashMtl({ maxNorm })),
};

/** Entangled rows exactly, nearly, and others; lengths up to a million apart. */
const rows = fc.oneof(
  jacobians,
  fc
    .record({
      seed: fc.nat(1e6),
      size: fc.integer({ min: 1, max: 12 }),
      apart: fc.constantFrom(0, 1e-9, 1e-6, 1e-3),
      lengths: fc.array(fc.integer({ min: -10, max: 10 }), { minLength: 12, maxLength: 12 }),
    })
    .map(({ seed, size, apart, lengths }) =>
      entangledRows(seed, Math.max(2, size))
        .slice(0, size)
        .map((row, k) =>
          row.map((value, c) => (value + apart * Math.sin(seed + 7 * k + c)) * 2 ** lengths[k]!),
        ),
    ),
);

describe('strategies that promise no conflict', () => {
  it.each(Object.entries(promised))('%s', (_, strategies) => {
    let answered = 0;
    fc.assert(
      fc.property(strategies, rows, (strategy, jacobian) => {
        const losses = jacobian.map((__, k) => 1 + (k % 3));
        const { update, weights } = integrateMatrix(strategy, jacobian, { losses });
        const parts = jacobian.reduce(
          (sum, row, k) => sum + Math.abs(weights[k]!) * Math.hypot(...row),
          0,
        );
        if (parts > 0) answered += 1;
        // Of what was added up: near stationary points hardly anything is left of it.
        jacobian.forEach((row) => {
          expect(dot(update, row)).toBeGreaterThanOrEqual(-1e-6 * parts * Math.hypot(...row));
        });
      }),
      { numRuns: 300 },
    );
    expect(answered).toBeGreaterThan(50);
  });
});
