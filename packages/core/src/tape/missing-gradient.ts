import { getGradient, Sum } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';

/** Makes the error for an operation without a gradient. Where no gradients are registered at all it says what to import. */
export function missingGradient(kernelName: string, input?: string): MultigradError {
  if (input === undefined && (getGradient(Sum) as unknown) === undefined) {
    return new MultigradError(
      'missing-gradients',
      `TensorFlow.js has no gradient registered for ${kernelName}, nor for any other operation: ` +
        '@tensorflow/tfjs-core alone registers none. ' +
        "Add `import '@tensorflow/tfjs-layers'` (or '@tensorflow/tfjs') before training.",
    );
  }
  const which = input === undefined ? kernelName : `the input \`${input}\` of ${kernelName}`;
  return new MultigradError(
    'missing-gradients',
    `TensorFlow.js has no gradient for ${which}, which lies between an objective and a variable. ` +
      'Express it by other operations, or wrap it in tf.customGrad.',
  );
}
