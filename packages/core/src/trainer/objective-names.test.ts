import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { variableOf } from '@multigrad/test-support';
import { expect, expectTypeOf, it } from 'vitest';
import { unitSum } from '../testing/strategies.ts';
import { MultiObjectiveTrainer } from './multi-objective-trainer.ts';

it('infers objective names, and the compiler checks them', async () => {
  await tf.setBackend('cpu');
  const v = variableOf(() => tf.scalar(2));
  const options = {
    objectives: () => ({ image: tf.square(v), audio: { loss: tf.mul(v, 3) } }),
    variables: [v],
    strategy: unitSum(),
    optimizer: () => undefined,
  };
  const trainer = new MultiObjectiveTrainer({ ...options, lossWeights: { image: 2 } });
  expectTypeOf(trainer).toEqualTypeOf<MultiObjectiveTrainer<unknown, 'image' | 'audio'>>();
  const { losses } = await trainer.trainOnBatch(null);
  expectTypeOf(losses.image).toEqualTypeOf<number | undefined>();
  expect(losses).toEqual({ image: 4, audio: 6 });
  // @ts-expect-error: there is no such objective
  expect(losses.video).toBeUndefined();
  // @ts-expect-error: nor here; what the compiler lets through, the first step refuses
  const wrong = new MultiObjectiveTrainer({ ...options, lossWeights: { video: 2 } });
  await expect(wrong.trainOnBatch(null)).rejects.toThrow(
    /should name objectives: image, audio. Found `video`/,
  );
  v.dispose();
});
