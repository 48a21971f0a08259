import type { CompilationReport, FitState, TrainerCallback } from '@multigrad/core';
import { type Json, own } from '@multigrad/core/strategy';
import type { Progress } from '../progress/progress.ts';
import { addCompilation, noCompilation } from '../runs/compilation.ts';
import { compilationShape, lineCountsShape } from '../runs/record-shapes.ts';
import { RunRecorder } from '../runs/recorder.ts';
import type { EpochRecord, LineCounts, RunResult, RunStatus } from '../runs/records.ts';
import { noLines, type RunWriter } from '../runs/run-writer.ts';
import { numberSetting } from '../runs/settings.ts';
import { assertShape, fields, finite } from '../runs/shape.ts';
import type { Comparison } from './comparison.ts';
import type { Evaluate } from './evaluation.ts';
import type { Ranks } from './ranks/ranks.ts';

/** Name of the log's state among those of callbacks in a checkpoint. */
const callbackName = 'records';

/** Where a log writes to. */
export interface LogSurroundings {
  readonly backend: string;
  readonly ranks: Ranks;
  readonly writer: RunWriter;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What a log asks of the training that it records. */
export interface LoggedTraining {
  readonly evaluate: Evaluate;
  readonly stepsPerEpoch: () => number;
  /** How the backward passes of this process were made so far. */
  readonly compilation: () => CompilationReport;
}

/** Records one run while it trains: its steps, its epochs with their scores, its times, and how it ended. */
export class RunLog {
  readonly #comparison: Comparison;
  readonly #surroundings: LogSurroundings;
  readonly #recorder: RunRecorder;
  /** When the run began, pauses left out. */
  #began = performance.now();
  /** Steps since this process took the run up. */
  #ownSteps = 0;
  #epochs = 0;
  #epochBegan = 0;
  #stepBegan = 0;
  /** When the epoch's last step ended. */
  #trained = 0;
  /** How the backward passes before the checkpoint were made that the run goes on from. */
  #compilationBefore = noCompilation;
  #ownCompilation = (): CompilationReport => noCompilation;

  constructor(comparison: Comparison, surroundings: LogSurroundings) {
    this.#comparison = comparison;
    this.#surroundings = surroundings;
    this.#recorder = new RunRecorder(numberSetting(comparison.config.settings, 'observe'));
  }

  /** Epochs that are finished and evaluated. */
  get epochs(): number {
    return this.#epochs;
  }

  /** Training steps so far. */
  get steps(): number {
    return this.#recorder.steps;
  }

  /** How the run ended. */
  result(status: RunStatus, error?: RunResult['error']): RunResult {
    const { backend, ranks, writer } = this.#surroundings;
    return {
      status,
      ...(error ? { error } : {}),
      epochs: this.#epochs,
      steps: this.#recorder.steps,
      stepTime: this.#recorder.stepTime(),
      conflicts: this.#recorder.conflicts(),
      compilation: this.#compilation(),
      seconds: secondsSince(this.#began),
      backend,
      endedAt: new Date().toISOString(),
      lines: writer.lines(),
      ...ranks.communication(this.#ownSteps, secondsSince(this.#began)),
    };
  }

  /** The callback that records the training. Its state goes into checkpoints, so that a resumed run continues the records. */
  callback({ evaluate, stepsPerEpoch, compilation }: LoggedTraining): TrainerCallback {
    this.#ownCompilation = compilation;
    const recorder = this.#recorder;
    const { writer, progress, signal } = this.#surroundings;
    return {
      name: callbackName,
      snapshot: () => this.#snapshot(),
      restore: (state) => this.#restore(state),
      onEpochBegin: (epoch) => {
        recorder.beginEpoch(epoch);
        this.#epochBegan = performance.now();
      },
      onBatchBegin: () => {
        this.#stepBegan = performance.now();
      },
      onBatchEnd: async (batch, report) => {
        this.#ownSteps += 1;
        const record = recorder.step(report, performance.now() - this.#stepBegan);
        if (record) await writer.step(record);
        const losses = report.losses as Record<string, number>;
        progress.step({ step: recorder.steps, epoch: recorder.epoch, losses });
        if (batch + 1 < stepsPerEpoch() || signal.aborted) return;
        this.#trained = performance.now();
        progress.evaluating();
      },
      onEpochEnd: async (epoch) => {
        const scores = await evaluate(epoch);
        if (scores === null) return;
        const record = recorder.endEpoch(
          { ...scores, test: inOrder(scores.test, this.#comparison.experiment.objectives) },
          {
            training: (this.#trained - this.#epochBegan) / 1000,
            evaluation: secondsSince(this.#trained),
          },
        );
        await writer.epoch(record);
        this.#epochs = epoch + 1;
        progress.epochEnd(record);
      },
    };
  }

  #compilation(): CompilationReport {
    return addCompilation(this.#compilationBefore, this.#ownCompilation());
  }

  #snapshot(): Json {
    return {
      recorder: this.#recorder.snapshot(),
      run: performance.now() - this.#began,
      epoch: performance.now() - this.#epochBegan,
      lines: { ...this.#surroundings.writer.lines() },
      compilation: this.#compilation() as unknown as Json,
      // Where `config.json` is lost, it is made again from this.
      comparison: this.#comparison.config as unknown as Json,
    };
  }

  #restore(state: Json): void {
    const saved = savedLog(state);
    this.#recorder.restore(saved.recorder);
    this.#epochs = this.#recorder.epoch - 1;
    this.#compilationBefore = saved.compilation ?? noCompilation;
    // Times continue where the checkpoint left them, so that the pause does not count.
    this.#began = performance.now() - saved.run;
    this.#epochBegan = performance.now() - saved.epoch;
    this.#trained = performance.now();
  }
}

/** What a checkpoint holds of a log. */
interface SavedLog {
  readonly recorder: Json;
  readonly run: number;
  readonly epoch: number;
  readonly lines?: LineCounts;
  readonly compilation?: CompilationReport;
}

const savedShape = fields(
  { run: finite, epoch: finite },
  { lines: lineCountsShape, compilation: compilationShape },
);

function savedLog(state: Json): SavedLog {
  assertShape(state, savedShape, 'The state of the records in the checkpoint');
  return state as unknown as SavedLog;
}

/** How many lines of the records were there when a checkpoint was made; none without a checkpoint. */
export function linesBefore(resume: FitState | null): LineCounts {
  const saved = resume === null ? undefined : own(resume.callbacks, callbackName);
  return saved === undefined ? noLines : (savedLog(saved).lines ?? noLines);
}

/** Scores in the order of every table. */
function inOrder(scores: EpochRecord['test'], objectives: readonly string[]): EpochRecord['test'] {
  return Object.fromEntries(
    objectives.flatMap((name) => {
      const score = own(scores, name);
      return score === undefined ? [] : [[name, score]];
    }),
  );
}

function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}
