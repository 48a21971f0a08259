import { MultigradError, own } from '@multigrad/core/strategy';
import { engine } from '@tensorflow/tfjs-core';

/** TensorFlow.js's registration of a backend: the function that makes it, and its priority. */
export type Registration = ReturnType<typeof engine>['registryFactory'][string];

const kept = new Map<string, Registration>();

/**
 * Returns the registration of a backend whose package has been imported. `tf.removeBackend` deletes a registration, and a
 * package registers its backend only once. A backend that was removed since the last call is therefore registered again.
 *
 * @throws MultigradError `unsupported` when the backend was removed before the first call
 */
export function keepRegistration(name: string): Registration {
  const registered = own(engine().registryFactory, name);
  const registration = registered ?? kept.get(name);
  if (registration === undefined) {
    throw new MultigradError(
      'unsupported',
      `Backend \`${name}\` should be registered with TensorFlow.js. Found it removed, or its package imported before what it needs was there: ` +
        'call `tf.removeBackend` only after `useBackend`, which registers it again, and leave the import to `useBackend` in Node.',
    );
  }
  if (registered === undefined) {
    engine().registerBackend(name, registration.factory, registration.priority);
  }
  kept.set(name, registration);
  return registration;
}
