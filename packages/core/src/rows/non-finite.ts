import { MultigradError } from '../base/errors.ts';

const ofGradients = new WeakSet<MultigradError>();

/** Whether an error is that of a gradient that is NaN or infinite while its loss is a number. */
export function isNonFiniteGradient(error: unknown): error is MultigradError {
  return MultigradError.isInstance(error) && ofGradients.has(error);
}

/** The error for a gradient that is NaN or infinite. */
export function nonFiniteGradient(
  objective: string | null,
  group: string,
  tensor: string,
  step: number,
): MultigradError {
  const whose =
    objective === null ? 'The weighted sum of all objectives' : `Objective \`${objective}\``;
  const error = new MultigradError(
    'non-finite',
    `${whose} has a gradient that is not finite for \`${tensor}\` (group \`${group}\`) at step ${step}. ` +
      'Expected finite numbers: check the learning rate, divisions by zero and logarithms of zero.',
  );
  ofGradients.add(error);
  return error;
}
