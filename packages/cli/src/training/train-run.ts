import {
  type FitState,
  type FusedOptimizer,
  type GroupBy,
  MultiObjectiveTrainer,
  resumableBatches,
  type TrainerCallback,
} from '@multigrad/core';
import type { BalancingMethod } from '@multigrad/balancing';
import { type GradientStrategy, MultigradError } from '@multigrad/core/strategy';
import type { Experiment } from '@multigrad/experiment';
import type * as tf from '@tensorflow/tfjs-core';
import type { Inspect } from '../analysis/inspector.ts';
import { prepareExperiment, type PreparedExperiment } from '../experiments/prepare.ts';
import type { Progress } from '../progress/progress.ts';
import type { RunResult } from '../runs/records.ts';
import type { Run } from '../runs/run-names.ts';
import type { RunWriter } from '../runs/run-writer.ts';
import { numberSetting, type Settings, settingsOfRun, textSetting } from '../runs/settings.ts';
import { formatCount } from '../shared/wording.ts';
import { balanceRun, type RunBalance, unbalanced } from './balance-run.ts';
import { checkpointCallback, type RunCheckpoints } from './checkpoints.ts';
import type { Comparison } from './comparison.ts';
import { evaluator } from './evaluation.ts';
import { failureOf } from './failure.ts';
import { learningRateOf, optimizerOf, type Place } from './optimizer.ts';
import type { Ranks } from './ranks/ranks.ts';
import { linesBefore, RunLog } from './run-log.ts';

/** Where a run computes and reports to, and what can end it early. */
export interface RunSurroundings {
  /** Name of the TensorFlow.js backend in use. */
  readonly backend: string;
  /** The ranks that train together, all of which call `trainRun`. */
  readonly ranks: Ranks;
  readonly writer: RunWriter;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** The checkpoints of the run. Training continues from the newest of them. */
  readonly checkpoints: RunCheckpoints;
  /** Whether backward passes follow plans. @defaultValue true */
  readonly compile?: boolean;
  /** Looks at the network before training and after each epoch. */
  readonly inspect?: Inspect;
  /** Further callbacks for the trainer. */
  readonly callbacks?: readonly TrainerCallback[];
}

/** What stays the same while one run is trained. */
interface Training extends RunSurroundings {
  readonly settings: Settings;
  readonly seed: number;
  readonly experiment: Experiment;
  readonly prepared: PreparedExperiment;
  /** Makes the run's strategy. */
  readonly createStrategy: () => GradientStrategy;
  /** Training steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Batches that a step takes. */
  readonly together: number;
  /** Balances the run; null for none. */
  readonly method: BalancingMethod | null;
  readonly log: RunLog;
}

/**
 * Trains one strategy once and writes down what happens as it happens.
 *
 * @param run - one of the comparison's runs
 * @returns how it ended; an error of the training itself is part of the result, not thrown
 * @throws MultigradError `io` where the records cannot be written
 */
export async function trainRun(
  comparison: Comparison,
  run: Run,
  surroundings: RunSurroundings,
): Promise<RunResult> {
  const { experiment, config, strategies } = comparison;
  const { seed } = run;
  const settings = settingsOfRun(config.settings, run);
  const epochs = numberSetting(settings, 'epochs');
  const strategy = strategies.find(({ specifier }) => specifier === run.strategy)!;
  const createStrategy = (): GradientStrategy => strategy.create(seed);
  const log = new RunLog(comparison, surroundings);
  let prepared: PreparedExperiment | undefined;
  try {
    prepared = await prepareExperiment(experiment, settings, seed);
    // A strategy of independent batches takes several a step, and leaves what is left over.
    const { batches: together = 1 } = createStrategy().needs;
    const stepsPerEpoch = Math.floor(prepared.stepsPerEpoch / together);
    surroundings.progress.runBegin({
      ...{ strategy: run.strategy, seed, epochs, stepsPerEpoch },
      metrics: experiment.metrics,
    });
    const training = {
      ...surroundings,
      settings,
      seed,
      experiment,
      prepared,
      createStrategy,
      method: strategy.balancing?.create(seed) ?? null,
      stepsPerEpoch,
      together,
      log,
    };
    const stopped = await fit(training);
    // A run that is interrupted after its last evaluation is finished all the same.
    return log.result(stopped && log.epochs < epochs ? 'stopped' : 'finished');
  } catch (error) {
    if (MultigradError.isInstance(error) && error.code === 'io') throw error;
    const refused =
      MultigradError.isInstance(error) && error.code === 'unsupported' && log.steps === 0;
    return log.result(refused ? 'refused' : 'failed', failureOf(error));
  } finally {
    prepared?.dispose();
  }
}

/** That training ends before the method begins. */
function withoutEffect({ name, firstEpoch = 0 }: BalancingMethod, epochs: number): string {
  return (
    `\`${name}\` changes nothing in a training of ${formatCount(epochs, 'epoch')}: ` +
    (firstEpoch === Infinity ? 'it never begins' : `it begins in epoch ${firstEpoch + 1}`) +
    '. See its options: multigrad balancing.'
  );
}

/** @returns whether training was stopped before its end */
async function fit(training: Training): Promise<boolean> {
  const { experiment, prepared, settings, backend, method, together, log } = training;
  const { ranks, writer, signal, checkpoints, callbacks = [] } = training;
  await ranks.checkData(prepared, backend);
  const inspect = inspection(training);
  const balance =
    method === null ? unbalanced(prepared) : await balanceRun(method, prepared, training.seed);
  const epochs = numberSetting(settings, 'epochs');
  if (method !== null && (method.firstEpoch ?? 0) >= epochs) {
    training.progress.note(withoutEffect(method, epochs));
  }
  const stepsPerEpoch = (): number => Math.floor(balance.steps() / together);
  const optimizer = optimizerOf(settings, prepared.variables);
  let trainer: MultiObjectiveTrainer<tf.NamedTensorMap, string> | undefined;
  try {
    const at = { epoch: 0, step: 0 };
    const made = trainerOf(training, optimizer, balance, () => ({ ...at, steps: stepsPerEpoch() }));
    trainer = made;
    const evaluate = evaluator(
      trainer,
      experiment,
      prepared,
      settings,
      ranks.evaluationSignal(signal),
    );
    const resume = await restore(trainer, training);
    if (resume === null) await inspect(0);
    const batches = resumableBatches((epoch, firstBatch) => {
      at.epoch = epoch;
      return balance.train(epoch, firstBatch);
    });
    const { stopped } = await trainer.fit(ranks.shard(batches), {
      epochs,
      callbacks: [
        { onBatchBegin: (step) => void (at.step = step) },
        ...balance.callbacks,
        log.callback({ evaluate, stepsPerEpoch, compilation: () => made.compilation }),
        { onEpochEnd: (epoch) => inspect(epoch + 1) },
        ...callbacks,
        checkpointCallback(checkpoints, {
          stepsPerEpoch,
          everySteps: numberSetting(settings, 'checkpoint'),
          before: () => writer.sync(),
        }),
      ],
      resume,
      signal,
    });
    return stopped !== undefined;
  } finally {
    trainer?.dispose();
    balance.dispose();
    optimizer.dispose();
  }
}

function trainerOf(
  { prepared, settings, createStrategy, stepsPerEpoch, compile, ranks }: Training,
  optimizer: FusedOptimizer,
  balance: RunBalance,
  place: () => Place,
): MultiObjectiveTrainer<tf.NamedTensorMap, string> {
  const every = numberSetting(settings, 'observe');
  return new MultiObjectiveTrainer<tf.NamedTensorMap, string>({
    ...balance.options,
    variables: prepared.variables,
    statistics: prepared.statistics,
    parts: prepared.parts,
    strategy: createStrategy(),
    optimizer,
    ...learningRateOf(settings, stepsPerEpoch, place),
    weightDecay: numberSetting(settings, 'weight-decay'),
    groupBy: grouping(textSetting(settings, 'group-by'), prepared),
    ...(every > 0 ? { observe: { every } } : {}),
    ...(compile === undefined ? {} : { compile }),
    ...ranks.trainerOptions(prepared),
  });
}

/** Groups by stable names: TensorFlow.js numbers the variables of the second network in a process. */
function grouping(groupBy: string, { variables }: PreparedExperiment): GroupBy {
  if (groupBy !== 'tensor') return groupBy as GroupBy;
  const names = new Map(Array.from(variables, ([name, variable]) => [variable.name, name]));
  return ({ name }) => names.get(name) ?? name;
}

/** Lets the trainer and the records go on from the newest checkpoint; null where the run begins. */
async function restore(
  trainer: MultiObjectiveTrainer<tf.NamedTensorMap, string>,
  { ranks, checkpoints, writer, progress }: Training,
): Promise<FitState | null> {
  const restored = await ranks.restore(checkpoints, trainer);
  if (restored !== null) progress.note(`Going on after step ${restored.step}.`);
  const resume = restored?.fit ?? null;
  const gaps = await writer.keep(linesBefore(resume));
  for (const gap of gaps) progress.note(`The records have a gap: ${gap}`);
  return resume;
}

/** Looks at the network after an epoch, 0 for before the first, and writes down what it sees. */
function inspection({
  inspect,
  writer,
  progress,
  prepared,
}: Training): (epoch: number) => Promise<void> {
  return async (epoch) => {
    if (inspect === undefined) return;
    progress.evaluating();
    for (const record of await inspect(prepared, epoch)) await writer.analysis(record);
  };
}
