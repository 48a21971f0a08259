import { MultigradError } from '../base/errors.ts';

/**
 * Refuses losses that are not finite: a strategy would take them into its state and never get rid of them.
 *
 * @param step - number of the step, for the message; null where there is none
 * @throws MultigradError `non-finite` when a loss is NaN or infinite
 */
export function checkLosses(
  names: readonly string[],
  losses: ArrayLike<number>,
  step: number | null,
): void {
  names.forEach((name, k) => {
    if (Number.isFinite(losses[k])) return;
    throw new MultigradError(
      'non-finite',
      `The loss of objective \`${name}\` should be finite. ` +
        `Found ${losses[k]}${step === null ? '' : ` at step ${step}`}.`,
    );
  });
}
