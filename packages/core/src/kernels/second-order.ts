import { gradientDepth } from '../tape/tape-internals.ts';
import { MultigradError } from '../base/errors.ts';

/**
 * Whether the gradient of what runs now will itself be differentiated: then it must be composed of operations that have
 * gradients.
 *
 * @example
 * ```ts
 * import { isDifferentiatedTwice } from '@multigrad/core/kernels';
 *
 * console.log(isDifferentiatedTwice()); // false
 * ```
 */
export function isDifferentiatedTwice(): boolean {
  return gradientDepth() > 1;
}

/**
 * Refuses to differentiate a gradient that has no gradient of its own: the result would silently miss a part.
 *
 * @throws MultigradError `unsupported`
 *
 * @example
 * ```ts
 * import { assertFirstOrder } from '@multigrad/core/kernels';
 *
 * assertFirstOrder('my operation'); // called by a gradient function: throws where that gradient is differentiated
 * ```
 */
export function assertFirstOrder(owner: string): void {
  if (gradientDepth() === 0) return;
  throw new MultigradError(
    'unsupported',
    `The gradient of ${owner} should be differentiated only where the forward pass ran inside the gradient that is ` +
      'differentiated, as in tf.grad((x) => f(x)). Found a forward pass outside of it.',
  );
}
