import '@tensorflow/tfjs-backend-cpu';
import * as layers from '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { buildIntegration, integrateGradients } from '../step/integrate-gradients.ts';
import { unitSum } from '../testing/strategies.ts';
import type { TrainerCallback } from './callbacks.ts';
import { MultiObjectiveTrainer } from './multi-objective-trainer.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

// What plain JavaScript would hand over: no type checker reads it.
const misspelt = <T extends object>(right: T, wrong: object): T => ({ ...right, ...wrong });

it('options that do not exist are refused with the nearest name, in every call that takes options', async () => {
  const variable = tf.variable(tf.scalar(1));
  const objectives = (): { loss: tf.Tensor } => ({ loss: tf.square(variable) });
  const optimizer = tf.train.sgd(1);
  const strategy = unitSum();
  const options = { objectives, variables: [variable], strategy, optimizer };
  expect(() => new MultiObjectiveTrainer(misspelt(options, { weightdecay: 1 }))).toThrow(
    '`MultiObjectiveTrainer` has no option `weightdecay`. Did you mean `weightDecay`?',
  );
  const trainer = new MultiObjectiveTrainer(options);
  await expect(trainer.fit([null], misspelt({ epochs: 1 }, { batchsize: 2 }))).rejects.toThrow(
    '`fit` has no option `batchsize`. Did you mean `batchSize`?',
  );
  await expect(trainer.evaluate([null], misspelt({}, { wieghts: 'average' }))).rejects.toThrow(
    '`evaluate` has no option `wieghts`. Did you mean `weights`?',
  );
  await expect(
    integrateGradients(strategy, objectives, [variable], misspelt({}, { lossweights: {} })),
  ).rejects.toThrow(
    '`integrateGradients` has no option `lossweights`. Did you mean `lossWeights`?',
  );
  expect(() =>
    buildIntegration(strategy, [objectives], [variable], misspelt({}, { groupby: 'layer' })),
  ).toThrow('`buildIntegration` has no option `groupby`. Did you mean `groupBy`?');
  expect((await variable.data())[0]).toBe(1);
  variable.dispose();
  optimizer.dispose();
});

it('callbacks that only LayersModel.fit can call are refused with what to write', async () => {
  const variable = tf.variable(tf.scalar(1));
  const trainer = new MultiObjectiveTrainer({
    objectives: () => ({ loss: tf.square(variable) }),
    variables: [variable],
    strategy: unitSum(),
    optimizer: () => undefined,
  });
  const callbacks = [
    layers.callbacks.earlyStopping({ monitor: 'loss' }) as unknown as TrainerCallback,
  ];
  await expect(trainer.fit([null], { epochs: 1, callbacks })).rejects.toThrow(
    'Found EarlyStopping, which is made for `LayersModel.fit`: use `earlyStopping` of @multigrad/core',
  );
  variable.dispose();
});
