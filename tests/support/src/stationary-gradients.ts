import { type GradientStrategy, integrateMatrix } from '@multigrad/core/strategy';
import { expect, it } from 'vitest';
import { expectVector, steep } from './gradients.ts';

/**
 * Cases of strategies that project onto the dual cone of the gradients: no update where no common descent direction
 * exists, half of what a gradient and a zero one come to, the gradient itself where it is alone.
 */
export function itEndsAtStationaryGradients(
  strategy: (options?: {
    readonly preference: Readonly<Record<string, number>>;
  }) => GradientStrategy,
): void {
  const updateOf = (...rows: readonly number[][]): Float64Array =>
    integrateMatrix(strategy(), rows).update;

  it('vanishes at opposite gradients, leaves zero ones alone, keeps one', () => {
    expectVector(updateOf([1, 2], [-2, -4]), [0, 0], 1e-15);
    expectVector(updateOf([1, 2], [0, 0]), [0.5, 1], 1e-15);
    expectVector(updateOf([3, -1]), [3, -1], 0);
  });

  it('says that it found no common descent direction', () => {
    const pairs = [
      [-7, -7, -3, -9],
      [-1, -8, 9, -8],
      [7, 7, 3, 9],
      [1, 8, -9, 8],
    ];
    expect(integrateMatrix(strategy(), pairs)).toMatchObject({
      update: new Float64Array(4),
      note: 'stationary',
    });
    expect(integrateMatrix(strategy(), steep).note).toBeUndefined();
    const nothing = { '0': 0, '1': 0 };
    expect(integrateMatrix(strategy({ preference: nothing }), steep).note).toBeUndefined();
  });
}
