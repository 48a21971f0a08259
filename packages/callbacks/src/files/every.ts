import { MultigradError } from '@multigrad/core/strategy';

/** @throws MultigradError `invalid-option` unless it is an integer >= 1 */
export function assertEvery(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new MultigradError(
    'invalid-option',
    `Option \`${name}\` should be an integer >= 1. Found ${value}.`,
  );
}
