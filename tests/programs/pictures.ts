import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { dataRandom, lossesOf, type Program, quietly, trained } from './program.ts';

/** Side of the pictures. */
export const side = 12;

/** Pictures of bright bars whose place says the class, and the classes. */
export function barPictures(
  name: string,
  count: number,
  classes: number,
): { readonly pictures: tf.Tensor4D; readonly labels: number[] } {
  const random = dataRandom(name);
  const labels = Array.from({ length: count }, (_, i) => i % classes);
  const values = labels.flatMap((label) =>
    Array.from({ length: side * side }, (_, i) => {
      const bright = Math.floor(i / side) % classes === label ? 1 : 0;
      return bright + 0.2 * random.normal();
    }),
  );
  return { pictures: tf.tensor4d(values, [count, side, side, 1]), labels };
}

/** Digits, by two convolutions. */
const mnist: Program = {
  name: 'MNIST',
  run: async () => {
    const { pictures, labels } = barPictures('mnist', 40, 4);
    const model = tfl.sequential({
      layers: [
        tfl.layers.conv2d({
          inputShape: [side, side, 1],
          kernelSize: 3,
          filters: 4,
          activation: 'relu',
        }),
        tfl.layers.maxPooling2d({ poolSize: 2, strides: 2 }),
        tfl.layers.conv2d({ kernelSize: 3, filters: 6, activation: 'relu' }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 16, activation: 'relu' }),
        tfl.layers.dense({ units: 4, activation: 'softmax' }),
      ],
    });
    const optimizer = tf.train.rmsprop(0.005);
    model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const y = tf.tidy(() => tf.oneHot(tf.tensor1d(labels, 'int32'), 4));
    return trained(model, optimizer, [pictures, y], async () =>
      lossesOf(
        await model.fit(pictures, y, {
          ...quietly,
          batchSize: 16,
          epochs: 2,
          validationSplit: 0.2,
        }),
      ),
    );
  },
};

export const picturesPrograms: readonly Program[] = [mnist];
