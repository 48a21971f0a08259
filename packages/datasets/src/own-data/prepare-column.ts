import { MultigradError } from '@multigrad/core/strategy';
import { type Column, type NumberColumn, sizeOf } from './column.ts';
import { filled, type Scale, scaleOf, standardized } from './scale.ts';

/** What is done with a column before batches are made of it. */
interface Preparation {
  readonly isInput: boolean;
  /** Whether it is brought to mean 0 and deviation 1. */
  readonly isScaled: boolean;
  /** Whether missing values become the mean. */
  readonly isFilled: boolean;
}

/**
 * A column as batches take it, and the scale that it was brought to.
 *
 * @param train - the samples on which mean and deviation are measured
 * @throws MultigradError `invalid-option` for a column that is not of numbers in memory, `invalid-data` for a missing input
 */
export function prepareColumn(
  name: string,
  column: Column,
  train: Int32Array,
  { isInput, isScaled, isFilled }: Preparation,
): { readonly column: Column; readonly scale: Scale | null } {
  const isChanged = isFilled || isScaled;
  if (column.kind !== 'numbers') {
    if (!isChanged) return { column, scale: null };
    throw new MultigradError(
      'invalid-option',
      `Options \`standardize\` and \`fillMissing\` of \`dataSets\` should name numbers in memory. Found \`${name}\`, which is ` +
        `${column.kind === 'classes' ? 'of classes' : 'read from files as it is needed (see `keep`)'}.`,
    );
  }
  if (isInput && !isFilled) assertNothingMissing(name, column);
  if (!isChanged) return { column, scale: null };
  const scale = scaleOf(name, column, train);
  const whole = isFilled ? filled(column, scale) : column;
  return isScaled ? { column: standardized(whole, scale), scale } : { column: whole, scale: null };
}

/** @throws MultigradError `invalid-data` naming the first missing value of an input */
function assertNothingMissing(name: string, column: NumberColumn): void {
  if (column.values instanceof Uint8Array) return;
  const at = column.values.findIndex(Number.isNaN);
  if (at < 0) return;
  const size = sizeOf(column.shape);
  throw new MultigradError(
    'invalid-data',
    `${column.where(Math.floor(at / size), at % size)}: expected a number for the input \`${name}\`. Found none. ` +
      `\`fillMissing: ['${name}']\` puts the training samples' mean in its place.`,
  );
}
