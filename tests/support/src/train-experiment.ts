import { MultiObjectiveTrainer } from '@multigrad/core';
import { type BatchSource, batchesByEpoch } from '@multigrad/datasets';
import type { Experiment, PartedNetwork } from '@multigrad/experiment';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import * as tf from '@tensorflow/tfjs-core';
import { disposeOptimizer } from './optimizers.ts';

type Samples = BatchSource<tf.NamedTensorMap>;

/**
 * Trains an experiment whose network is one of `@multigrad/models` with MMPareto, as its first preset says, with seed 0.
 *
 * @returns losses and metrics of the test set by name, such as `kind_accuracy`
 */
export async function trainExperiment(experiment: Experiment): Promise<Record<string, number>> {
  const defaults = Object.entries(experiment.settings).map(([name, spec]) => [
    name,
    'default' in spec ? spec.default : '',
  ]);
  const settings = {
    lr: 0.01,
    ...(Object.fromEntries(defaults) as object),
    ...Object.values(experiment.presets)[0]!.settings,
  } as { readonly epochs: number; readonly 'batch-size': number; readonly lr: number };
  const opened = await experiment.open(settings as never, 0);
  const network = opened.network as PartedNetwork;
  const optimizer = tf.train.momentum(settings.lr, 0.9);
  const trainer = new MultiObjectiveTrainer({
    objectives: (batch: tf.NamedTensorMap, context) => opened.objectives(batch, context),
    variables: [...network.trainableVariables],
    parts: network.parts,
    strategy: mmpareto(),
    optimizer,
  });
  const train = batchesByEpoch(opened.data.train as Samples, {
    batchSize: settings['batch-size'],
    shuffleSeed: 0,
  });
  const { history } = await trainer.fit(train, {
    epochs: settings.epochs,
    validationData: batchesByEpoch(opened.data.test as Samples, { batchSize: 1000 }),
  });
  trainer.dispose();
  disposeOptimizer(optimizer);
  network.dispose();
  return Object.fromEntries(
    Object.entries(history).flatMap(([name, values]) =>
      name.startsWith('val_') ? [[name.slice('val_'.length), values.at(-1)!]] : [],
    ),
  );
}
