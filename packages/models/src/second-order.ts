import { gradientDepth } from '@multigrad/core/kernels';
import { MultigradError } from '@multigrad/core/strategy';

/**
 * Whether the gradient of what runs now will itself be differentiated: then it must be composed of operations that have
 * gradients.
 */
export function isDifferentiatedTwice(): boolean {
  return gradientDepth() > 1;
}

/**
 * Refuses to differentiate a gradient that has no gradient of its own: the result would silently miss a part.
 *
 * @throws MultigradError `unsupported`
 */
export function assertFirstOrder(owner: string): void {
  if (gradientDepth() === 0) return;
  throw new MultigradError(
    'unsupported',
    `The gradient of ${owner} should be differentiated only where the forward pass ran inside the gradient that is ` +
      'differentiated, as in tf.grad((x) => f(x)). Found a forward pass outside of it.',
  );
}
