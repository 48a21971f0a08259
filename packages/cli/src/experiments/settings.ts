import { MultigradError, type OptionSpec, resolveOptions, own } from '@multigrad/core/strategy';
import { optionsFromText } from '@multigrad/core/support';
import type { PresetName, Recipe } from './recipe.ts';
import { numberSetting, selectsBest, type Settings } from '../runs/settings.ts';

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
  'validation-size': {
    kind: 'number',
    integer: true,
    minimum: 0,
    default: 500,
    description: 'Samples kept from training to select models by; 0: none.',
  },
  select: {
    kind: 'choice',
    choices: ['last', 'best'],
    default: 'last',
    description:
      'Which epoch the tables show: the last, or the one of the best validation accuracy.',
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
    description:
      'Learning rate of SGD with momentum; several, as in 0.003,0.01: each is tried, and for each strategy the one of the ' +
      'best validation accuracy is shown.',
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
  checkpoint: {
    kind: 'number',
    integer: true,
    minimum: 0,
    default: 0,
    description:
      'Make a checkpoint every n steps, from which an interrupted run goes on; 0: at the end of each epoch alone.',
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
  const rates = (texts['lr'] ?? '').split(',');
  if (rates.length > 1) return sweep(recipe, preset, texts, rates);
  const specs = settingSpecs(recipe);
  const isFolder = (name: string): boolean => Object.hasOwn(recipe.folders, name);
  const values = Object.entries(texts).filter(([name]) => !isFolder(name));
  const written = optionsFromText(recipe.name, specs, Object.fromEntries(values));
  // Settings are numbers and words alone, as their specifications say.
  const numbersAndWords = resolveOptions<object>(recipe.name, specs, {
    ...recipe.presets[preset].settings,
    ...written,
  }) as Settings;
  const folders = Object.keys(recipe.folders).map((name) => [name, own(texts, name) ?? '']);
  const settings: Settings = { ...numbersAndWords, ...(Object.fromEntries(folders) as Settings) };
  recipe.check(settings);
  if (selectsBest(settings)) assertValidation(recipe, settings, 'select');
  return settings;
}

/**
 * Checks settings that were read from a folder: all that a recipe has, each as a user might have written it.
 *
 * @throws MultigradError `invalid-option` naming the setting
 */
export function assertSettings(recipe: Recipe, settings: Settings): void {
  const texts = Object.entries(settings).map(([name, value]) => [name, String(value)] as const);
  const resolved = resolveSettings(recipe, 'quick', Object.fromEntries(texts));
  const given = new Set(Object.keys(settings));
  const lacking = Object.keys(resolved).filter((name) => !given.has(name));
  if (lacking.length === 0) return;
  throw new MultigradError(
    'invalid-option',
    `The configuration should have all settings of \`${recipe.name}\`. It lacks ${lacking.join(', ')}.`,
  );
}

/** Settings with several learning rates: each is checked by itself, and they are kept as `0.003,0.01`. */
function sweep(
  recipe: Recipe,
  preset: PresetName,
  texts: Readonly<Record<string, string>>,
  rates: readonly string[],
): Settings {
  const each = rates.map((lr) => resolveSettings(recipe, preset, { ...texts, lr }));
  const settings = { ...each[0], lr: [...new Set(each.map(({ lr }) => lr))].join(',') };
  assertValidation(recipe, settings, 'lr');
  return settings;
}

function assertValidation({ name }: Recipe, settings: Settings, option: string): void {
  if (numberSetting(settings, 'validation-size') > 0) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${option}\` of \`${name}\` selects by validation accuracy and needs a \`validation-size\` of at least 1. Found 0.`,
  );
}
