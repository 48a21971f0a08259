import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { Metric } from './metric.ts';
import type { OpenExperiment } from './open-experiment.ts';
import type { Settings, SettingSpecs, SettingsOf, SomeSettingsOf } from './settings.ts';

/** A named set of settings, chosen with `--preset`. */
export interface Preset<Values = Settings> {
  /** What it is for and how long it takes, in a few words for the help. */
  readonly summary: string;
  /** Seeds of a comparison, an integer >= 1. @defaultValue 1 */
  readonly seeds?: number;
  /** What differs from the defaults. @defaultValue nothing */
  readonly settings?: Values;
}

/** An experiment as its author writes it, for {@link defineExperiment}. */
export interface ExperimentDefinition<
  Specs extends SettingSpecs = SettingSpecs,
  Objective extends string = string,
> {
  /** In kebab case, as folders and reports name it. */
  readonly name: string;
  /** As a heading writes it. @defaultValue the name */
  readonly title?: string;
  /** What is learnt from what, and why it is hard: two or three sentences for help and report. @defaultValue none */
  readonly summary?: string;
  /** Publications and data sets, one line each. @defaultValue none */
  readonly sources?: readonly string[];
  /** The names of the objectives, in the order of every table. */
  readonly objectives: readonly Objective[];
  /**
   * The objective that a user wants in the end, where the others help it: the strategy `joint` trains on it alone, and
   * models are selected by it. @defaultValue null, for tasks side by side: their mean selects
   */
  readonly baseline?: NoInfer<Objective> | null;
  /**
   * What is measured beside losses, by the names under which `objectives` and `evaluate` return it. The first one that an
   * objective has is what tables show of it and what models are selected by; its loss, where it has none.
   * @defaultValue none
   */
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** Settings beside those of every experiment, by the names of their flags in kebab case. @defaultValue none */
  readonly settings?: Specs;
  /** Sets of settings by name; the first one holds where the user names none. @defaultValue the settings' defaults */
  readonly presets?: Readonly<Record<string, Preset<SomeSettingsOf<NoInfer<Specs>>>>>;
  /**
   * The strategies of a comparison for which the user names none.
   * @defaultValue `sum`, `mmpareto`, `pcgrad`, `mgda` and `upgrad`; with a baseline `joint` before them in the place of `upgrad`
   */
  readonly strategies?: readonly string[];
  /**
   * Checks settings together, before anything is read; each by itself is checked before.
   *
   * @throws MultigradError `invalid-option` naming the setting
   */
  check?(settings: SettingsOf<NoInfer<Specs>>): void;
  /**
   * Makes the network and reads the data for one run; the same seed makes the same.
   *
   * @param seed - of weights, of data and of their order, an integer >= 0
   */
  open(
    settings: SettingsOf<NoInfer<Specs>>,
    seed: number,
  ):
    | OpenExperiment<NamedTensorMap, NoInfer<Objective>>
    | Promise<OpenExperiment<NamedTensorMap, NoInfer<Objective>>>;
}

/** A metric with every default filled in. */
export type DefinedMetric = Readonly<
  Required<Omit<Metric, 'unit'>> & {
    /** Unit of the values; an empty text for none. */
    unit: string;
  }
>;

/** An experiment, checked, with every default filled in: what `multigrad` runs, and a module exports as `experiment`. */
export interface Experiment {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly sources: readonly string[];
  readonly objectives: readonly string[];
  readonly baseline: string | null;
  readonly metrics: Readonly<Record<string, DefinedMetric>>;
  readonly settings: SettingSpecs;
  readonly presets: Readonly<Record<string, Required<Preset>>>;
  readonly strategies: readonly string[];
  /** Checks settings together, before anything is read. */
  check(settings: Settings): void;
  /** Makes the network and reads the data for one run; the same seed makes the same. */
  open(settings: Settings, seed: number): Promise<OpenExperiment>;
}
