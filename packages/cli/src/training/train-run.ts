import {
  type FitState,
  fusedMomentum,
  type GroupBy,
  MultiObjectiveTrainer,
  resumableBatches,
  type TrainerCallback,
} from '@multigrad/core';
import type { Files } from '@multigrad/core/files';
import { type Json, MultigradError } from '@multigrad/core/strategy';
import {
  assertAlike,
  gradientExchange,
  type MeasuredCommunicator,
  shardBatches,
} from '@multigrad/distributed';
import * as tf from '@tensorflow/tfjs-core';
import type { Progress } from '../progress/progress.ts';
import type { Experiment } from '../experiments/experiment.ts';
import type { Recipe } from '../experiments/recipe.ts';
import type { ChosenStrategy } from '../strategies/catalog.ts';
import type { Inspect } from '../analysis/inspector.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { RunRecorder } from '../runs/recorder.ts';
import type {
  EpochRecord,
  LineCounts,
  ObjectiveScore,
  RunResult,
  RunStatus,
} from '../runs/records.ts';
import { lineCountsShape } from '../runs/record-shapes.ts';
import { noLines, type RunWriter } from '../runs/run-writer.ts';
import { RunCheckpoints } from './run-checkpoints.ts';
import { numberSetting, type Settings } from '../runs/settings.ts';
import { assertShape, fields, finite } from '../runs/shape.ts';

/** One run: a strategy trained with one seed. */
export interface RunTask {
  readonly recipe: Recipe;
  readonly settings: Settings;
  readonly strategy: ChosenStrategy;
  readonly seed: number;
  /** Name of the TensorFlow.js backend in use, for the records. */
  readonly backend: string;
  /** What the run is part of: its checkpoints tell where `config.json` is lost. */
  readonly comparison?: ComparisonConfig;
}

/** Where a run reports to, and what can end it early. */
export interface RunSurroundings {
  readonly writer: RunWriter;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Looks at the network before training and after each epoch. */
  readonly inspect?: Inspect;
  /** Watch the training beside the records. */
  readonly callbacks?: readonly TrainerCallback[];
  /** Folder of the run's checkpoints, from which it goes on if it holds any; null for none. */
  readonly checkpoints: string | null;
  /** Where they are kept. @defaultValue the file system of this machine */
  readonly files?: Files;
  /** The ranks that train together, all of which call `trainRun`; the first one alone writes. */
  readonly ranks?: MeasuredCommunicator;
}

/**
 * Trains one strategy once and writes down what happens as it happens.
 *
 * @returns how it ended; an error of the training itself is part of the result, not thrown
 * @throws MultigradError `io` where the records cannot be written
 */
export async function trainRun(task: RunTask, surroundings: RunSurroundings): Promise<RunResult> {
  const { progress } = surroundings;
  const { settings, strategy, seed } = task;
  const recorder = new RunRecorder(numberSetting(settings, 'observe'));
  const clock = { began: performance.now(), steps: 0 };
  let epochs = 0;
  const result = (status: RunStatus, error?: RunResult['error']): RunResult => ({
    status,
    ...(error ? { error } : {}),
    epochs,
    steps: recorder.steps,
    stepTime: recorder.stepTime(),
    conflicts: recorder.conflicts(),
    seconds: seconds(clock.began),
    backend: task.backend,
    endedAt: new Date().toISOString(),
    lines: surroundings.writer.lines(),
    ...communicated(surroundings.ranks, clock),
  });
  let experiment: Experiment | undefined;
  try {
    experiment = await task.recipe.open(settings, seed);
    // A strategy of independent batches takes several a step, and leaves what is left over.
    const { batches = 1 } = strategy.create(seed).needs;
    const stepsPerEpoch = Math.floor(experiment.stepsPerEpoch / batches);
    progress.runBegin({
      strategy: strategy.specifier,
      seed,
      epochs: numberSetting(settings, 'epochs'),
      stepsPerEpoch,
    });
    const watch = (evaluate: Evaluate): TrainerCallback =>
      watcher(task, recorder, clock, stepsPerEpoch, surroundings, evaluate, (done) => {
        epochs = done;
      });
    const stopped = await fit(task, experiment, watch, stepsPerEpoch, surroundings);
    // Interrupted in the last evaluation's last moment, it is finished all the same.
    return result(stopped && epochs < numberSetting(settings, 'epochs') ? 'stopped' : 'finished');
  } catch (error) {
    if (MultigradError.isInstance(error) && error.code === 'io') throw error;
    const refused =
      MultigradError.isInstance(error) && error.code === 'unsupported' && recorder.steps === 0;
    return result(refused ? 'refused' : 'failed', describeFailure(error));
  } finally {
    experiment?.dispose();
  }
}

/** When a run began, pauses left out, and its steps since this process took it up. */
interface Clock {
  began: number;
  steps: number;
}

/** What the ranks told each other. */
function communicated(
  ranks: MeasuredCommunicator | undefined,
  { steps, began }: Clock,
): Pick<RunResult, 'communication'> {
  if (ranks === undefined) return {};
  const { reduceScatter, allGather, control } = ranks.traffic();
  const milliseconds = reduceScatter.time + allGather.time + control.time;
  const bytes = {
    gradients: reduceScatter.bytes,
    weights: allGather.bytes,
    control: control.bytes,
  };
  return {
    communication: {
      ranks: ranks.size,
      steps,
      bytes,
      seconds: milliseconds / 1000,
      of: seconds(began),
    },
  };
}

/** Somebody else's strategy may throw anything; where it was thrown helps its author. */
function describeFailure(error: unknown): NonNullable<RunResult['error']> {
  if (MultigradError.isInstance(error)) {
    const { code, message, cause } = error;
    const { stack } = cause instanceof Error && !MultigradError.isInstance(cause) ? cause : {};
    return { code, message, ...(stack === undefined ? {} : { stack }) };
  }
  if (!(error instanceof Error)) return { code: 'error', message: String(error) };
  return {
    code: 'error',
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
  };
}

/** What looks at the network from time to time and writes down what it sees. */
function inspection(
  { inspect, writer, progress }: RunSurroundings,
  experiment: Experiment,
): (epoch: number) => Promise<void> {
  return async (epoch) => {
    if (inspect === undefined) return;
    progress.evaluating();
    for (const record of await inspect(experiment, epoch)) await writer.analysis(record);
  };
}

/** @returns whether training was stopped before its end */
async function fit(
  task: RunTask,
  experiment: Experiment,
  watch: (evaluate: Evaluate) => TrainerCallback,
  stepsPerEpoch: number,
  surroundings: RunSurroundings,
): Promise<boolean> {
  const { recipe, settings, strategy, seed, backend } = task;
  const { writer, progress, signal, checkpoints, ranks, files } = surroundings;
  if (ranks !== undefined) await assertSameData(ranks, experiment, backend);
  const inspect = inspection(surroundings, experiment);
  const every = numberSetting(settings, 'observe');
  const optimizer = fusedMomentum(experiment.variables, {
    learningRate: numberSetting(settings, 'lr'),
    momentum: numberSetting(settings, 'momentum'),
  });
  let trainer: MultiObjectiveTrainer<tf.NamedTensorMap, string> | undefined;
  try {
    trainer = new MultiObjectiveTrainer<tf.NamedTensorMap, string>({
      objectives: (batch, mode) => experiment.objectives(batch, mode),
      variables: experiment.variables,
      statistics: experiment.statistics,
      parts: experiment.parts,
      strategy: strategy.create(seed),
      optimizer,
      weightDecay: numberSetting(settings, 'weight-decay'),
      groupBy: grouping(settings['group-by'] as string, experiment),
      ...(every > 0 ? { observe: { every } } : {}),
      ...(ranks === undefined
        ? {}
        : {
            exchange: gradientExchange(ranks),
            // Batch norm keeps statistics, and nothing else does.
            synchronise: experiment.statistics.size > 0,
          }),
    });
    // Ranks cannot leave an evaluation one by one.
    const interruption = ranks === undefined ? signal : new AbortController().signal;
    const evaluate = evaluator(trainer, experiment, settings, interruption);
    const saved =
      checkpoints === null && ranks === undefined
        ? null
        : new RunCheckpoints({
            folder: checkpoints,
            config: { recipe: recipe.name, strategy: strategy.specifier, seed, backend, settings },
            stepsPerEpoch,
            everySteps: numberSetting(settings, 'checkpoint'),
            note: (text) => progress.note(text),
            ranks: ranks ?? null,
            before: () => writer.sync(),
            ...(files === undefined ? {} : { files }),
          });
    const restored = (await saved?.restore(trainer)) ?? null;
    const resume = restored?.fit ?? null;
    const gaps = await writer.keep(linesOf(resume));
    for (const gap of gaps) progress.note(`The records have a gap: ${gap}`);
    if (resume === null) await inspect(0);
    const whole = resumableBatches((epoch, firstBatch) => experiment.train(epoch, firstBatch));
    const train = ranks === undefined ? whole : shardBatches(whole, ranks);
    const { stopped } = await trainer.fit(train, {
      epochs: numberSetting(settings, 'epochs'),
      callbacks: [
        watch(evaluate),
        { onEpochEnd: (epoch) => inspect(epoch + 1) },
        ...(surroundings.callbacks ?? []),
        ...(saved === null ? [] : [saved.callback()]),
      ],
      resume,
      signal,
    });
    return stopped !== undefined;
  } finally {
    trainer?.dispose();
    optimizer.dispose();
  }
}

/** What a checkpoint says of the records. */
interface SavedRecords {
  readonly recorder: Json;
  readonly run: number;
  readonly epoch: number;
  readonly lines?: LineCounts;
}

const savedShape = fields({ run: finite, epoch: finite }, { lines: lineCountsShape });

function savedRecords(state: Json): SavedRecords {
  assertShape(state, savedShape, 'The state of the records in the checkpoint');
  return state as unknown as SavedRecords;
}

/** Lines of the records that a checkpoint relies on. */
function linesOf(resume: FitState | null): LineCounts {
  const saved = resume?.callbacks['records'];
  return saved === undefined ? noLines : (savedRecords(saved).lines ?? noLines);
}

/** Checks that all ranks see the same data, by the number of steps and the sums of the first batch, and compute alike. */
async function assertSameData(
  ranks: MeasuredCommunicator,
  experiment: Experiment,
  backend: string,
): Promise<void> {
  const sums: Record<string, number> = {};
  for await (const batch of experiment.train(0)) {
    for (const [name, value] of Object.entries(batch)) {
      sums[name] = (await value.data<'float32'>()).reduce((sum, one) => sum + one, 0);
    }
    tf.dispose(batch);
    break;
  }
  const { stepsPerEpoch } = experiment;
  await assertAlike(ranks, { backend, data: { stepsPerEpoch, 'sums of the first batch': sums } });
}

/** Groups by stable names: TensorFlow.js numbers the variables of the second network in a process. */
function grouping(groupBy: string, { variables }: Experiment): GroupBy {
  if (groupBy !== 'tensor') return groupBy as GroupBy;
  const names = new Map(Array.from(variables, ([name, variable]) => [variable.name, name]));
  return ({ name }) => names.get(name) ?? name;
}

/** The same batches, until the user interrupts. The trainer itself gives the event loop its turns. */
async function* untilInterrupted(
  batches: AsyncIterable<tf.NamedTensorMap>,
  signal: AbortSignal,
): AsyncGenerator<tf.NamedTensorMap, void> {
  for await (const batch of batches) {
    if (signal.aborted) {
      tf.dispose(batch);
      throw interrupted;
    }
    yield batch;
  }
}

/** Ends an evaluation that the user interrupts; nobody outside of this module sees it. */
const interrupted = new Error('interrupted');

/** Scores after an epoch, or null where the user interrupted the evaluation. */
type Evaluate = (
  epoch: number,
) => Promise<Pick<EpochRecord, 'test' | 'validation' | 'without'> | null>;

function evaluator(
  trainer: MultiObjectiveTrainer<tf.NamedTensorMap, string>,
  experiment: Experiment,
  settings: Settings,
  signal: AbortSignal,
): Evaluate {
  const scores = async (
    batches: AsyncIterable<tf.NamedTensorMap>,
  ): Promise<Record<string, ObjectiveScore>> => {
    const { losses, metrics } = await trainer.evaluate(() => untilInterrupted(batches, signal));
    return Object.fromEntries(
      Object.entries(losses).map(([name, loss]) => {
        const accuracy = metrics[name]?.['accuracy'];
        return [name, { loss: loss!, ...(accuracy === undefined ? {} : { accuracy }) }];
      }),
    );
  };
  const { validation, modalities } = experiment;
  return async (epoch) => {
    // What no table will show is not measured.
    const shown = settings['select'] === 'best' || epoch + 1 === numberSetting(settings, 'epochs');
    const missing = shown ? modalities : [];
    try {
      const without: Record<string, Record<string, ObjectiveScore>> = {};
      const tested = await scores(experiment.test());
      for (const modality of missing)
        without[modality] = await scores(withZeros(experiment.test(), modality));
      return {
        ...(validation === null ? {} : { validation: await scores(validation()) }),
        test: tested,
        ...(missing.length === 0 ? {} : { without }),
      };
    } catch (error) {
      if (error === interrupted) return null;
      throw error;
    }
  };
}

/** The same batches with zeros in the place of one modality, as at a sensor that has failed. */
async function* withZeros(
  batches: AsyncIterable<tf.NamedTensorMap>,
  modality: string,
): AsyncGenerator<tf.NamedTensorMap, void> {
  for await (const batch of batches) {
    const zeros = tf.zerosLike(batch[modality]!);
    batch[modality]!.dispose();
    yield { ...batch, [modality]: zeros };
  }
}

function watcher(
  { recipe, comparison }: RunTask,
  recorder: RunRecorder,
  clock: Clock,
  stepsPerEpoch: number,
  { writer, progress, signal }: RunSurroundings,
  evaluate: Evaluate,
  epochDone: (epochs: number) => void,
): TrainerCallback {
  let epochBegan = 0;
  let stepBegan = 0;
  let trained = 0;
  return {
    name: 'records',
    snapshot: () => ({
      recorder: recorder.snapshot(),
      run: performance.now() - clock.began,
      epoch: performance.now() - epochBegan,
      lines: { ...writer.lines() },
      ...(comparison === undefined ? {} : { comparison: comparison as unknown as Json }),
    }),
    restore: (state) => {
      const saved = savedRecords(state);
      recorder.restore(saved.recorder);
      epochDone(recorder.epoch - 1);
      // Clocks go on as if there had been no pause.
      clock.began = performance.now() - saved.run;
      epochBegan = performance.now() - saved.epoch;
      trained = performance.now();
    },
    onEpochBegin: (epoch) => {
      recorder.beginEpoch(epoch);
      epochBegan = performance.now();
    },
    onBatchBegin: () => {
      stepBegan = performance.now();
    },
    onBatchEnd: async (batch, report) => {
      clock.steps += 1;
      const record = recorder.step(report, performance.now() - stepBegan);
      if (record) await writer.step(record);
      progress.step({
        step: recorder.steps,
        epoch: recorder.epoch,
        losses: report.losses as Record<string, number>,
      });
      if (batch + 1 < stepsPerEpoch || signal.aborted) return;
      trained = performance.now();
      progress.evaluating();
    },
    onEpochEnd: async (epoch) => {
      const scores = await evaluate(epoch);
      if (scores === null) return;
      const record = recorder.endEpoch(
        { ...scores, test: inOrder(scores.test, recipe.objectives) },
        { training: (trained - epochBegan) / 1000, evaluation: seconds(trained) },
      );
      await writer.epoch(record);
      epochDone(epoch + 1);
      progress.epochEnd(record);
    },
  };
}

/** Scores in the order of every table. */
function inOrder(scores: EpochRecord['test'], objectives: readonly string[]): EpochRecord['test'] {
  return Object.fromEntries(
    objectives.flatMap((name) => (scores[name] ? [[name, scores[name]]] : [])),
  );
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}
