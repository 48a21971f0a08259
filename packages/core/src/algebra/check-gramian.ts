import { MultigradError } from '../base/errors.ts';
import { describeValue } from '../base/describe-value.ts';
import type { Gramian } from './gramian.ts';

/**
 * Checks that a Gramian is square, finite and symmetric within its stated error, and that its diagonal is >= 0.
 *
 * Symmetric means `|G_ij − G_ji| <= 2 · relativeError · √(G_ii G_jj)`, as both entries stand for the same product.
 *
 * @param gramian - the Gramian that a caller gave
 * @param what - name of the Gramian in messages
 * @throws MultigradError `invalid-argument` naming what does not fit, `non-finite` for an entry that is NaN or infinite
 */
export function checkGramian(gramian: Gramian, what = 'A Gramian'): void {
  const { size, values, relativeError } = gramian;
  const refuse = (expected: string, found: string): never => {
    throw new MultigradError('invalid-argument', `${what} should ${expected}. Found ${found}.`);
  };
  if (!Number.isInteger(size) || size < 1) {
    refuse('have a `size` that is an integer >= 1', describeValue(size));
  }
  if (!(values instanceof Float64Array) || values.length !== size * size) {
    const length = values instanceof Float64Array ? ` of length ${values.length}` : '';
    refuse(
      `have \`values\` in a Float64Array of length ${size * size}`,
      describeValue(values) + length,
    );
  }
  if (!(relativeError >= 0 && relativeError < 1)) {
    refuse('have a `relativeError` in 0 … 1', describeValue(relativeError));
  }
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < size; j += 1) {
      const value = values[i * size + j]!;
      if (Number.isFinite(value)) continue;
      throw new MultigradError(
        'non-finite',
        `${what} should have finite entries. Found ${value} in row ${i}, column ${j}.`,
      );
    }
    const square = values[i * size + i]!;
    if (square < 0) refuse('have a diagonal >= 0', `${square} in row ${i}`);
  }
  for (let i = 0; i < size; i += 1) {
    for (let j = i + 1; j < size; j += 1) {
      const above = values[i * size + j]!;
      const below = values[j * size + i]!;
      if (above === below) continue;
      // Take both square roots before the product: the product of the squares could overflow.
      const norms = Math.sqrt(values[i * size + i]!) * Math.sqrt(values[j * size + j]!);
      if (Math.abs(above - below) <= 2 * relativeError * norms) continue;
      refuse(
        'be symmetric within its relative error',
        `${above} in row ${i}, column ${j} and ${below} in row ${j}, column ${i}`,
      );
    }
  }
}
