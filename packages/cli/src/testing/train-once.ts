import type { Experiment } from '@multigrad/experiment';
import { lineProgress } from '../progress/lines.ts';
import { numberSetting, type Settings } from '../runs/settings.ts';
import type { RunResult } from '../runs/records.ts';
import { chooseStrategies } from '../strategies/catalog.ts';
import { noCheckpoints } from '../training/checkpoints.ts';
import { solo } from '../training/ranks/solo.ts';
import { type RunSurroundings, trainRun } from '../training/train-run.ts';
import { type CollectingWriter, collectingWriter } from './collecting-writer.ts';

/** One run for a test. */
export interface Trial {
  readonly experiment: Experiment;
  readonly settings: Settings;
  readonly strategy: string;
  readonly seed?: number;
}

/** A run that a test made: how it ended, what it wrote down and printed. */
export interface Trained extends Pick<CollectingWriter, 'epochs' | 'steps' | 'analyses'> {
  readonly result: RunResult;
  readonly printed: readonly string[];
}

/** Trains one run by itself, whose records stay in memory, without checkpoints. */
export async function trainOnce(
  { experiment, settings, strategy, seed = 0 }: Trial,
  surroundings: Pick<RunSurroundings, 'backend'> &
    Partial<Pick<RunSurroundings, 'signal' | 'inspect'>> & {
      /** In the place of what keeps the records. */
      readonly writer?: Partial<RunSurroundings['writer']>;
    },
): Promise<Trained> {
  const writer = collectingWriter();
  const printed: string[] = [];
  const config = {
    ...({ format: 1, version: '0.0.0', command: 'train', experiment: experiment.name } as const),
    ...{ strategies: [strategy], seeds: [seed], settings },
  };
  const result = await trainRun(
    { config, experiment, strategies: await chooseStrategies(experiment, [strategy], '.') },
    { strategy, seed, lr: numberSetting(settings, 'lr') },
    {
      signal: new AbortController().signal,
      ...surroundings,
      ...{ ranks: solo, checkpoints: noCheckpoints },
      writer: { ...writer, ...surroundings.writer },
      progress: lineProgress((line) => printed.push(line)),
    },
  );
  const { epochs, steps, analyses } = writer;
  return { result, epochs, steps, analyses, printed };
}
