import * as tf from '@tensorflow/tfjs-core';

/** Runs `build`; if it throws, frees the variables that it made until then, so that an error leaves none behind. */
export function freeOnError<T>(build: () => T): T {
  const { registeredVariables } = tf.engine().state;
  const before = new Set(Object.keys(registeredVariables));
  try {
    return build();
  } catch (error) {
    for (const [name, variable] of Object.entries(registeredVariables)) {
      if (!before.has(name)) variable.dispose();
    }
    throw error;
  }
}
