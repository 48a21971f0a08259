import type { ComparisonConfig } from '../runs/config.ts';
import type { SampleMean } from '@multigrad/models';
import type { ContributionRecord } from '../runs/contribution-record.ts';
import type {
  ConflictCount,
  EpochRecord,
  GroupRecord,
  RunRecord,
  StepRecord,
} from '../runs/records.ts';

/** What a made-up comparison looks like. */
export interface RecordedOptions {
  readonly strategies?: readonly string[];
  readonly seeds?: readonly number[];
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** Whether contributions of modalities were measured after each epoch. @defaultValue false */
  readonly contributions?: boolean;
  /** Epochs that a run got to, and how it ended, for those that did not finish. */
  readonly cutShort?: (
    strategy: string,
    seed: number,
  ) => { readonly epochs: number; readonly status: 'stopped' | 'failed' } | undefined;
}

const objectives = ['multimodal', 'gray', 'color'] as const;
const encoders = ['gray', 'color'] as const;

function groupRecord(encoder: string, strategy: number, seed: number, step: number): GroupRecord {
  const cosine = Math.cos(1.2 + strategy * 0.25 + Math.sin(step * 1.7 + seed) * 0.7);
  const decay = Math.exp(-step / 150);
  return {
    key: `${encoder}/multimodal+${encoder}`,
    objectives: ['multimodal', encoder],
    norms: [0.4 + decay * (1 + 0.1 * strategy), (encoder === 'gray' ? 1 : 0.2) + 2 * decay],
    cosines: [
      [1, cosine],
      [cosine, 1],
    ],
    weights: [
      strategy === 0 ? 1 : 1 + 0.2 * strategy,
      strategy === 0 ? 0 : 1 + 0.1 * Math.sin(step),
    ],
    conflict: cosine < 0,
  };
}

function stepRecord(strategy: number, seed: number, step: number, epoch: number): StepRecord {
  const loss = 2.3 * Math.exp(-step / 200);
  return {
    step,
    epoch,
    milliseconds: 60 + 20 * strategy,
    losses: { multimodal: loss, gray: loss * 1.2, color: loss * 0.5 },
    backwardPasses: strategy === 0 ? 1 : 3,
    groups: encoders.map((encoder) => groupRecord(encoder, strategy, seed, step)),
  };
}

function conflictCounts(steps: readonly StepRecord[]): Record<string, ConflictCount> {
  const counts: Record<string, ConflictCount> = {};
  for (const encoder of encoders) {
    const key = `${encoder}/multimodal+${encoder}`;
    const seen = steps.flatMap(({ groups }) => groups.filter((group) => group.key === key));
    counts[key] = {
      seen: seen.length,
      conflicting: seen.filter(({ conflict }) => conflict).length,
    };
  }
  return counts;
}

/** Two modalities and a joint prediction whose figures fit each other, over all samples and by class. */
function contributionRecord(strategy: number, seed: number, epoch: number): ContributionRecord {
  const reached = 1 - Math.exp(-epoch * 0.5);
  const around = (value: number): SampleMean => ({
    ...{ value, standardError: 0.01, low: value - 0.0196, high: value + 0.0196 },
  });
  const figures = (shift: number, samples: number) => {
    const gray = reached * (0.3 + 0.05 * strategy) + shift;
    const color = reached * 0.2 - shift / 2;
    return {
      ...{ samples, chance: 0.1, joint: 0.1 + gray + color },
      contributions: { gray: around(gray), color: around(color) },
    };
  };
  const whole = figures(0.01 * seed, 2000);
  const { gray, color } = whole.contributions;
  return {
    ...whole,
    ...{ masks: 'zero', modalities: ['gray', 'color'], value: 'accuracy', classes: 10 },
    coalitions: [
      { seen: [], value: 0.1 },
      { seen: ['gray'], value: 0.1 + gray.value },
      { seen: ['color'], value: 0.1 + color.value },
      { seen: ['gray', 'color'], value: whole.joint },
    ],
    drops: whole.contributions,
    gains: whole.contributions,
    interactions: [{ pair: ['gray', 'color'], ...around(0) }],
    cooperation: around(0),
    imbalance: { gray: 1.5, color: 1 / 1.5 },
    byClass: Array.from({ length: 10 }, (_, label) => ({
      label,
      ...figures(0.01 * seed + 0.1 * Math.sin(label), 200),
    })),
  };
}

function epochRecord(
  strategy: number,
  seed: number,
  epoch: number,
  steps: readonly StepRecord[],
  stepsPerEpoch: number,
  contributions: boolean,
): EpochRecord {
  const reached = 1 - Math.exp(-epoch * (0.3 + 0.15 * strategy));
  const shift = 0.03 * Math.sin(7 * seed + strategy);
  return {
    epoch,
    step: epoch * stepsPerEpoch,
    train: Object.fromEntries(
      objectives.map((name, k) => [
        name,
        { loss: 2.3 * (1 - reached) * (1 - 0.2 * k), accuracy: reached },
      ]),
    ),
    test: Object.fromEntries(
      objectives.map((name, k) => [
        name,
        {
          loss: 2.3 - reached * (1 - 0.5 * k) + shift,
          accuracy: strategy === 0 && k > 0 ? 0.1 : 0.1 + reached * (0.8 - 0.35 * k) + shift,
        },
      ]),
    ),
    ...(contributions ? { contribution: contributionRecord(strategy, seed, epoch) } : {}),
    conflicts: conflictCounts(steps),
    stepTime: { plain: 60 + 20 * strategy + seed, observed: strategy < 2 ? 130 : null },
    seconds: { training: 10, evaluation: 2 },
  };
}

/** A comparison made up by formulas, with the shape of a real one, for tests of tables and reports. */
export function recordedComparison(options: RecordedOptions = {}): {
  config: ComparisonConfig;
  runs: RunRecord[];
} {
  const strategies = options.strategies ?? ['joint', 'sum', 'mmpareto', 'pcgrad', 'mgda'];
  const seeds = options.seeds ?? [0, 1];
  const epochs = options.epochs ?? 4;
  const stepsPerEpoch = options.stepsPerEpoch ?? 47;
  const observe = 5;
  const runs = seeds.flatMap((seed) =>
    strategies.map((strategy, index): RunRecord => {
      const short = options.cutShort?.(strategy, seed);
      const reached = short?.epochs ?? epochs;
      const steps: StepRecord[] = [];
      for (let step = 0; step < reached * stepsPerEpoch; step += observe) {
        steps.push(stepRecord(index, seed, step, Math.floor(step / stepsPerEpoch) + 1));
      }
      const epochRecords = Array.from({ length: reached }, (_, epoch) =>
        epochRecord(
          index,
          seed,
          epoch + 1,
          steps.filter((step) => step.epoch === epoch + 1),
          stepsPerEpoch,
          options.contributions ?? false,
        ),
      );
      return {
        strategy,
        seed,
        lr: 0.01,
        epochs: epochRecords,
        steps,
        analysis: [],
        result: {
          status: short?.status ?? 'finished',
          ...(short?.status === 'failed'
            ? { error: { code: 'non-finite', message: 'Loss of `gray` is NaN at step 12.' } }
            : {}),
          epochs: reached,
          steps: reached * stepsPerEpoch,
          stepTime: epochRecords.at(-1)?.stepTime ?? { plain: null, observed: null },
          conflicts: conflictCounts(steps),
          compilation: {
            ...{ replayed: reached * stepsPerEpoch - 2, recorded: 2, changed: null },
            plain: {},
          },
          seconds: 48,
          backend: 'wasm',
          endedAt: '2025-01-01T12:00:00.000Z',
          lines: { epochs: epochRecords.length, steps: steps.length, analysis: 0 },
        },
        gaps: [],
      };
    }),
  );
  return {
    config: {
      format: 1,
      version: '0.0.0',
      command: 'compare',
      experiment: 'cg-mnist',
      strategies,
      seeds,
      settings: {
        epochs,
        'train-size': 64 * stepsPerEpoch,
        'test-size': 2000,
        'batch-size': 64,
        lr: 0.01,
        select: 'last',
        observe,
      },
    },
    runs,
  };
}
