import type { Vector } from '../plane/vectors.ts';
import { firstView, type View } from '../plane/view.ts';
import type { Objective, Settings } from '../training/protocol.ts';

/** The playground's views, each a tab of the page. */
export const views = ['training', 'plane', 'paths'] as const;
export type ViewName = (typeof views)[number];

/** What the view of the training shows. */
export interface TrainingState extends Settings {
  /** The objective whose losses and accuracies are drawn. */
  readonly curve: Objective;
  /** Training pauses after so many steps; 0 lets it go on to the end. */
  readonly steps: number;
}

/** How steps are made along paths. */
export type PathOptimizer = 'adam' | 'sgd';

/** The learning rates that paths offer. */
export const pathRates: Readonly<Record<PathOptimizer, readonly number[]>> = {
  adam: [0.05, 0.01, 0.002],
  sgd: [0.1, 0.02, 0.005],
};

/** The learning rate of an optimizer before another one is chosen. */
export const usualRate = (optimizer: PathOptimizer): number => pathRates[optimizer][1]!;

/** The numbers of steps that paths offer to make at a time. */
export const paces = [1, 5, 20, 100] as const;

/** What the view of the paths shows. */
export interface PathsState {
  /** Ids of the strategies. */
  readonly strategies: readonly string[];
  readonly starts: readonly Vector[];
  readonly optimizer: PathOptimizer;
  readonly rate: number;
  /** Steps made at a time. */
  readonly pace: number;
  /** Steps made. */
  readonly steps: number;
}

/** Paths end after so many steps, and there are at most so many of them. */
export const pathLimits = { steps: 5000, starts: 8 } as const;

/** All that the playground shows. */
export interface PlaygroundState {
  readonly view: ViewName;
  readonly training: TrainingState;
  readonly plane: View;
  readonly paths: PathsState;
}

/** What it shows at first. */
export const usualState: PlaygroundState = {
  view: 'training',
  training: {
    strategies: ['mgda', 'mmpareto'],
    network: 'small',
    seed: 0,
    backend: 'wasm',
    curve: 'gray',
    steps: 0,
  },
  plane: firstView,
  paths: {
    strategies: ['sum', 'mmpareto', 'cagrad', 'mgda'],
    starts: [
      [-8.5, 7.5],
      [-8.5, 5],
      [0, 0.5],
      [9, 9],
      [10, -8],
    ],
    optimizer: 'adam',
    rate: 0.01,
    pace: 20,
    steps: 0,
  },
};
