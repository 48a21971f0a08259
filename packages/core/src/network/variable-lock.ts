import type { Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';

const inFlight = new WeakSet<Variable>();

/**
 * Claims the variables for one step, until the returned function is called.
 *
 * A step awaits its read-back; another one on the same variables that started meanwhile would see the same weights and
 * the same strategy state, and one of the two updates would be lost.
 *
 * @throws MultigradError `interleaved-call` when a variable is claimed already
 */
export function lockVariables(variables: readonly Variable[]): () => void {
  const taken = variables.find((variable) => inFlight.has(variable));
  if (taken !== undefined) {
    throw new MultigradError(
      'interleaved-call',
      `A step on variable \`${taken.name}\` began while an earlier one had not ended. Await each step before the next.`,
    );
  }
  for (const variable of variables) inFlight.add(variable);
  return () => {
    for (const variable of variables) inFlight.delete(variable);
  };
}

/**
 * Checks the list of variables to differentiate.
 *
 * @throws MultigradError `invalid-argument` when it is empty or names one twice
 */
export function checkVariables(variables: readonly Variable[]): void {
  if (variables.length === 0) {
    throw new MultigradError(
      'invalid-argument',
      'Argument `variables` should name at least one tf.Variable. Found none.',
    );
  }
  const names = new Set<string>();
  for (const variable of variables) {
    if (names.has(variable.name)) {
      throw new MultigradError(
        'invalid-argument',
        `Argument \`variables\` should name each variable once. Found \`${variable.name}\` twice.`,
      );
    }
    if (variable.isDisposed) {
      throw new MultigradError('invalid-argument', `Variable \`${variable.name}\` is disposed.`);
    }
    names.add(variable.name);
  }
}
