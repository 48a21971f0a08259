import { type OptionSpec, optionsFromText, resolveOptions } from '@multigrad/core/strategy';
import type { Settings } from '../runs/config.ts';
import type { PresetName, Recipe } from './recipe.ts';

type Specs = Readonly<Record<string, OptionSpec>>;

/** What every recipe lets a user set, by flag name. */
const common: Specs = {
  epochs: {
    kind: 'number',
    integer: true,
    minimum: 1,
    default: 4,
    description: 'Passes over the training set.',
  },
  'train-size': {
    kind: 'number',
    integer: true,
    minimum: 1,
    default: 3000,
    description: 'Training samples.',
  },
  'test-size': {
    kind: 'number',
    integer: true,
    minimum: 1,
    default: 2000,
    description: 'Test samples.',
  },
  'batch-size': {
    kind: 'number',
    integer: true,
    minimum: 1,
    default: 64,
    description: 'Samples in a training step.',
  },
  lr: {
    kind: 'number',
    exclusiveMinimum: 0,
    default: 0.01,
    description: 'Learning rate of SGD with momentum.',
  },
  momentum: {
    kind: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.9,
    description: 'Momentum of SGD.',
  },
  'weight-decay': {
    kind: 'number',
    minimum: 0,
    default: 1e-4,
    description: 'L2 penalty on every weight.',
  },
  'group-by': {
    kind: 'choice',
    choices: ['reach', 'shared', 'layer', 'tensor'],
    default: 'reach',
    description:
      'What is integrated together: parameters reached by the same objectives, all shared ones, a layer, a tensor.',
  },
  observe: {
    kind: 'number',
    integer: true,
    minimum: 0,
    default: 10,
    description:
      'Look at the gradients of every n-th step, for every strategy, and write that step down; 0: never.',
  },
  backend: {
    kind: 'choice',
    choices: ['auto', 'tensorflow', 'wasm', 'cpu'],
    default: 'auto',
    description: 'TensorFlow.js backend; auto takes the fastest present.',
  },
};

/** All settings of a recipe by flag name: its own, then those of all recipes. */
export function settingSpecs(recipe: Recipe): Specs {
  return { ...common, ...recipe.settings };
}

/**
 * The settings of a run: what the user wrote, else the preset's value, else the default.
 *
 * @param texts - what the user wrote, by flag name
 * @throws MultigradError `invalid-option` for a text that is no value of its setting
 */
export function resolveSettings(
  recipe: Recipe,
  preset: PresetName,
  texts: Readonly<Record<string, string>>,
): Settings {
  const specs = settingSpecs(recipe);
  const written = optionsFromText(recipe.name, specs, texts);
  // Every kind of setting above is a number or a word.
  const settings = resolveOptions<object>(recipe.name, specs, {
    ...recipe.presets[preset].settings,
    ...written,
  }) as Settings;
  recipe.check(settings);
  return settings;
}

/** A number among the settings; its presence was checked when they were resolved. */
export function numberSetting(settings: Settings, name: string): number {
  return settings[name] as number;
}
