import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { keepRegistration } from './keep-registration.ts';

describe('keepRegistration', () => {
  it('registers a removed backend again', () => {
    const factory = tf.findBackendFactory('cpu');
    tf.registerBackend('kept', factory, 7);
    keepRegistration('kept');
    tf.removeBackend('kept');
    expect(keepRegistration('kept')).toEqual({ factory, priority: 7 });
    expect(tf.findBackendFactory('kept')).toBe(factory);
    tf.removeBackend('kept');
  });

  it.each(['missing', 'constructor', '__proto__'])(
    'refuses the backend `%s` that was never registered, and leaves the name free',
    (name) => {
      const before = Object.keys(tf.engine().registryFactory);
      expect(() => keepRegistration(name)).toThrow(/should be registered.*Found it removed/);
      expect(Object.keys(tf.engine().registryFactory)).toEqual(before);
    },
  );

  it('lets a backend be registered after it was refused', () => {
    expect(() => keepRegistration('late')).toThrow(/Found it removed/);
    expect(tf.registerBackend('late', tf.findBackendFactory('cpu'))).toBe(true);
    tf.removeBackend('late');
  });
});
