import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { dataRandom, lossesOf, normalRows, type Program, quietly, trained } from './program.ts';

/** House prices from a table: linear regression, and a network with hidden layers. */
const bostonHousing: Program = {
  name: 'Boston housing',
  run: async () => {
    const random = dataRandom('boston housing');
    const rows = normalRows(random, 60, 12);
    const prices = rows.map((row) => [
      row.reduce((sum, value, i) => sum + value * (i % 3), 22) + random.normal(),
    ]);
    const losses: number[] = [];
    for (const hidden of [0, 1, 2]) {
      const model = tfl.sequential();
      for (let layer = 0; layer < hidden; layer += 1) {
        model.add(
          tfl.layers.dense({
            inputShape: [12],
            units: 16,
            activation: 'sigmoid',
            kernelInitializer: 'leCunNormal',
          }),
        );
      }
      model.add(tfl.layers.dense({ inputShape: [12], units: 1 }));
      const optimizer = tf.train.sgd(0.01);
      model.compile({ optimizer, loss: 'meanSquaredError' });
      const [x, y] = [tf.tensor2d(rows), tf.tensor2d(prices)];
      losses.push(
        ...(await trained(model, optimizer, [x, y], async () =>
          lossesOf(
            await model.fit(x, y, { ...quietly, batchSize: 20, epochs: 4, validationSplit: 0.2 }),
          ),
        )),
      );
    }
    return losses;
  },
};

/** Kinds of iris from four lengths. */
const iris: Program = {
  name: 'iris',
  run: async () => {
    const random = dataRandom('iris');
    const kinds = Array.from({ length: 45 }, (_, i) => i % 3);
    const lengths = kinds.map((kind) =>
      [5, 3, 4, 1].map((mean, i) => mean + 0.8 * kind * (i - 1) + 0.4 * random.normal()),
    );
    const model = tfl.sequential({
      layers: [
        tfl.layers.dense({ inputShape: [4], units: 10, activation: 'sigmoid' }),
        tfl.layers.dense({ units: 3, activation: 'softmax' }),
      ],
    });
    const optimizer = tf.train.adam(0.01);
    model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const x = tf.tensor2d(lengths);
    const y = tf.tidy(() => tf.oneHot(tf.tensor1d(kinds, 'int32'), 3));
    return trained(model, optimizer, [x, y], async () =>
      lossesOf(await model.fit(x, y, { ...quietly, epochs: 5, validationData: [x, y] })),
    );
  },
};

export const tables: readonly Program[] = [bostonHousing, iris];
