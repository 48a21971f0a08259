import type { OptionSpec } from '@multigrad/core/strategy';
import type { Experiment } from './experiment.ts';
import type { Settings } from '../runs/settings.ts';

/** Named sets of settings: `quick` to see everything work in minutes, `full` to measure. */
export type PresetName = 'quick' | 'full';

/** A named set of settings. */
export interface Preset {
  /** One sentence: what it is for and how long it takes. */
  readonly summary: string;
  readonly seeds: number;
  readonly settings: Settings;
}

/** An experiment that the command line can run by name: its data, network, objectives and evaluation. */
export interface Recipe {
  /** As a user writes it. */
  readonly name: string;
  /** As a heading writes it. */
  readonly title: string;
  /** Two or three sentences for the reports: what is learnt from what, and why it is hard. */
  readonly summary: string;
  /** Publications and data sets, one line each. */
  readonly sources: readonly string[];
  /** The objectives, in the order of every table. */
  readonly objectives: readonly string[];
  /**
   * The objective that the baseline `joint` trains on alone and by whose validation accuracy models are selected; null
   * where tasks stand side by side: then there is no such baseline, and the mean over all objectives selects.
   */
  readonly baseline: string | null;
  /** The strategies of a comparison for which none are named. */
  readonly strategies: readonly string[];
  /** Settings of this recipe beside those of all recipes, by flag name. */
  readonly settings: Readonly<Record<string, OptionSpec>>;
  /** Settings that name a folder, each with its description; empty text where none is named. */
  readonly folders: Readonly<Record<string, string>>;
  readonly presets: Readonly<Record<PresetName, Preset>>;
  /** Sentences that a reader of these strategies' figures should know. */
  notes(strategies: readonly string[]): readonly string[];
  /**
   * Checks settings together, before any training: each by itself was checked before.
   *
   * @throws MultigradError `invalid-option`
   */
  check(settings: Settings): void;
  /** Builds everything for one run; the same seed builds the same. */
  open(settings: Settings, seed: number): Promise<Experiment>;
}
