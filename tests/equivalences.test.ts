import { type GradientStrategy, integrateMatrix } from '@multigrad/core/strategy';
import { fairgrad } from '@multigrad/strategy-fairgrad';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { nashMtl } from '@multigrad/strategy-nash-mtl';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { upgrad } from '@multigrad/strategy-upgrad';
import { dot, jacobians } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// Strategies that the literature derives apart from each other and that must agree.

const length = (row: ArrayLike<number>): number => Math.sqrt(dot(row, row));

const update = (strategy: GradientStrategy, jacobian: readonly number[][]): Float64Array =>
  integrateMatrix(strategy, jacobian).update;

function expectSame(found: Float64Array, expected: Float64Array, tolerance: number): void {
  const size = length(expected);
  found.forEach((value, c) => {
    expect(Math.abs(value - expected[c]!)).toBeLessThanOrEqual(tolerance * size);
  });
}

/** Two rows of the given cosine, at least. */
const pairs = jacobians.map((rows) => rows.slice(0, 2));
const cosineOf = ([a, b]: readonly number[][]): number => dot(a!, b!) / length(a!) / length(b!);

describe('strategies that are the same', () => {
  it('PCGrad and K times UPGrad, for two objectives', () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        fc.pre(Math.abs(cosineOf(rows)) < 0.999);
        const doubled = update(upgrad(), rows).map((value) => value * 2);
        expectSame(doubled, update(pcgrad(), rows), 1e-9);
      }),
    );
  });

  it('FairGrad with alpha 1 and the direction of Nash-MTL', () => {
    fc.assert(
      fc.property(jacobians, (rows) => {
        const [fair, nash] = [fairgrad(), nashMtl()].map((strategy) => update(strategy, rows));
        if (length(nash!) === 0) {
          expect(length(fair!)).toBe(0);
          return;
        }
        const unit = fair!.map((value) => value / length(fair!));
        expectSame(
          unit,
          nash!.map((value) => value / length(nash!)),
          1e-9,
        );
      }),
    );
  });

  it('MMPareto with gamma 1 and the sum, without conflict', () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        fc.pre(cosineOf(rows) >= 0);
        expectSame(update(mmpareto({ gamma: 1 }), rows), update(sum(), rows), 1e-12);
      }),
    );
  });

  it('MGDA and the direction of MMPareto, in conflict', () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        fc.pre(cosineOf(rows) < 0 && cosineOf(rows) > -0.999);
        const [a, b] = [mgda(), mmpareto()].map((strategy) => update(strategy, rows));
        const unit = b!.map((value) => value / length(b!));
        expectSame(
          unit,
          a!.map((value) => value / length(a!)),
          1e-7,
        );
      }),
    );
  });
});
