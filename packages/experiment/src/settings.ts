import type { BooleanOption, ChoiceOption, NumberOption } from '@multigrad/core/strategy';

/** A file or a folder that the user may name. Its value is an empty text where none is named. */
export interface PathSetting {
  readonly kind: 'path';
  /** One sentence that says what is there. */
  readonly description: string;
}

/** A number within bounds. */
export interface NumberSetting extends NumberOption<number> {
  readonly nullable?: false;
}

/** The description of one setting: its kind, its default, its range, and a sentence for the help. */
export type SettingSpec = NumberSetting | ChoiceOption | BooleanOption | PathSetting;

/** The kinds of settings. */
export const settingKinds: readonly string[] = ['number', 'choice', 'boolean', 'path'];

/** Descriptions of settings by the names of their flags, in kebab case: `hidden-units`. */
export type SettingSpecs = Readonly<Record<string, SettingSpec>>;

/** The descriptions of an experiment without settings of its own. */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- it has no settings indeed
export type NoSettings = Pick<SettingSpecs, never>;

/** The value of a setting of this description. */
export type SettingValue<Spec extends SettingSpec = SettingSpec> = Spec extends {
  readonly kind: 'number';
}
  ? number
  : Spec extends { readonly kind: 'choice'; readonly choices: readonly (infer Choice)[] }
    ? Choice
    : Spec extends { readonly kind: 'boolean' }
      ? boolean
      : string;

/** The values of settings by name. */
export type Settings = Readonly<Record<string, SettingValue>>;

/** The settings that every experiment has. One that describes a setting of the same name replaces it. */
export interface CommonSettings {
  /** Passes over the training set, an integer >= 1. */
  readonly epochs: number;
  /** Samples in a training step, an integer >= 1. */
  readonly 'batch-size': number;
  /** Training samples kept to select models by, an integer >= 0. */
  readonly 'validation-size': number;
  /** Learning rate, > 0. */
  readonly lr: number;
  /** What makes steps of the combined gradient. */
  readonly optimizer: 'sgd' | 'adam';
  /** The learning rate over training: the same at every step, or falling to 0 along half a cosine. */
  readonly schedule: 'constant' | 'cosine';
  /** Momentum of SGD, 0 to 1. */
  readonly momentum: number;
  /** L2 penalty on every weight, >= 0. */
  readonly 'weight-decay': number;
}

/** What an experiment of these settings is opened with: their values, and those of the settings that every experiment has. */
export type SettingsOf<Specs extends SettingSpecs> = {
  readonly [Name in keyof Specs]: SettingValue<Specs[Name]>;
} & Omit<CommonSettings, keyof Specs>;

/** Some of the values of {@link SettingsOf}. */
export type SomeSettingsOf<Specs extends SettingSpecs> = {
  readonly [Name in keyof Specs]?: SettingValue<Specs[Name]>;
} & Omit<Partial<CommonSettings>, keyof Specs>;
