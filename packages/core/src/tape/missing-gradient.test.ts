import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
// Not from the package: other helpers in it import what registers gradients.
import { expectConstantMemory, variableOf } from '../../../../tests/support/src/memory.ts';
import { integrateGradients } from '../step/integrate-gradients.ts';
import { unitSum } from '../testing/strategies.ts';

// This file imports no package that registers gradients: what a user sees who forgot to.
it('says what to import when no gradients are registered', async () => {
  await tf.setBackend('cpu');
  const v = variableOf(() => tf.scalar(2));
  await expectConstantMemory(async () => {
    await expect(integrateGradients(unitSum(), () => ({ a: tf.square(v) }), [v])).rejects.toThrow(
      "import '@tensorflow/tfjs-layers'",
    );
  });
  v.dispose();
});
