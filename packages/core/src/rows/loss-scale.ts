import { MultigradError } from '../base/errors.ts';

/** The largest factor on losses: far beyond what float16 holds, and well within float32. */
export const largestScale: number = 2 ** 32;

/**
 * Checks a loss scale.
 *
 * @param option - the name of the option in messages
 * @throws MultigradError `invalid-option` unless it is a power of two, 1 … 2^32
 */
export function checkLossScale(option: string, scale: number): void {
  const whole = Number.isInteger(Math.log2(scale)) && 2 ** Math.log2(scale) === scale;
  if (whole && scale >= 1 && scale <= largestScale) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${option}\` should be a power of two, 1 … 2^32. Found ${scale}.`,
  );
}
