import '@tensorflow/tfjs-backend-cpu';
import * as layers from '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { buildIntegration, integrateGradients } from '../step/integrate-gradients.ts';
import { unitSum } from '../testing/strategies.ts';
import type { TrainerCallback } from './callbacks.ts';
import { cosineDecay, stepDecay } from '../update/learning-rate.ts';
import { divergenceGuard } from './guards/divergence-guard.ts';
import { earlyStopping } from './guards/early-stopping.ts';
import { identicalObjectives } from './guards/identical-objectives.ts';
import { memoryAlarm } from './guards/memory-alarm.ts';
import { reduceOnPlateau } from './guards/reduce-on-plateau.ts';
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

it('options of callbacks, schedules and parts of options are refused with the nearest name too', () => {
  const variable = tf.variable(tf.scalar(1));
  const make = (wrong: object) => () =>
    new MultiObjectiveTrainer(
      misspelt(
        {
          objectives: () => ({ loss: tf.square(variable) }),
          variables: [variable],
          strategy: unitSum(),
          optimizer: () => undefined,
        },
        wrong,
      ),
    );
  expect(make({ clip: { globalnorm: 1 } })).toThrow('Did you mean `globalNorm`?');
  expect(make({ clipObjectives: { vlaue: 1 } })).toThrow('Did you mean `value`?');
  expect(make({ observe: { evry: 1 } })).toThrow('Did you mean `every`?');
  expect(make({ average: { dcay: 0.9 } })).toThrow('Did you mean `decay`?');
  expect(make({ lossScale: { growevery: 1 } })).toThrow('Did you mean `growEvery`?');
  const calls: readonly [(options: never) => unknown, object, string][] = [
    [earlyStopping, { patiance: 1 }, 'patience'],
    [earlyStopping, { moniter: 'loss' }, 'monitor'],
    [reduceOnPlateau, { rate: 1, coolDown: 1 }, 'cooldown'],
    [divergenceGuard, { facter: 2 }, 'factor'],
    [memoryAlarm, { onGrwoth: () => undefined }, 'onGrowth'],
    [identicalObjectives, { onidentical: () => undefined }, 'onIdentical'],
    [stepDecay, { rate: 1, evry: 1, factor: 1 }, 'every'],
    [cosineDecay, { rate: 1, step: 1 }, 'steps'],
  ];
  for (const [call, options, meant] of calls) {
    expect(() => call(options as never)).toThrow(`Did you mean \`${meant}\`?`);
  }
  variable.dispose();
});
