import { MultigradError, type OptionSpec, own, resolveOptions } from '@multigrad/core/strategy';
import { optionsFromText } from '@multigrad/core/support';
import type { Experiment, SettingSpec, SettingSpecs } from '@multigrad/experiment';
import type { Settings } from '../runs/settings.ts';
import { commonSettings } from './common-settings.ts';

/** All settings of an experiment by flag name: those of every experiment, then its own. */
export function settingSpecs(experiment: Experiment): SettingSpecs {
  return { ...commonSettings, ...experiment.settings };
}

/** The preset that holds where the user names none. */
export function defaultPreset({ presets }: Experiment): string {
  return Object.keys(presets)[0]!;
}

function isPath([, { kind }]: readonly [string, SettingSpec]): boolean {
  return kind === 'path';
}

/**
 * The settings of a run: what the user wrote, else the preset's value, else the default.
 *
 * @param preset - the name of one of the experiment's presets
 * @param texts - what the user wrote, by flag name
 * @throws MultigradError `invalid-option` for a text that is no value of its setting
 */
export function resolveSettings(
  experiment: Experiment,
  preset: string,
  texts: Readonly<Record<string, string>>,
): Settings {
  const rates = (texts['lr'] ?? '').split(',');
  if (rates.length > 1) return sweep(experiment, preset, texts, rates);
  const all = Object.entries(settingSpecs(experiment));
  const options = Object.fromEntries(all.filter((entry) => !isPath(entry))) as Readonly<
    Record<string, OptionSpec>
  >;
  const presetSettings: Settings = own(experiment.presets, preset)!.settings;
  const [chosen, paths] = [{ ...presetSettings }, new Map<string, string>()];
  for (const [name] of all.filter(isPath)) {
    paths.set(name, own(texts, name) ?? String(own(presetSettings, name) ?? ''));
    Reflect.deleteProperty(chosen, name);
  }
  const values = Object.entries(texts).filter(([name]) => !paths.has(name));
  const written = optionsFromText(experiment.name, options, Object.fromEntries(values));
  const resolved = resolveOptions<object>(experiment.name, options, { ...chosen, ...written });
  const settings = { ...(resolved as Settings), ...Object.fromEntries(paths) };
  experiment.check(settings);
  return settings;
}

/**
 * Checks settings that were read from a folder: all that an experiment has, each as a user might have written it.
 *
 * @throws MultigradError `invalid-option` naming the setting
 */
export function assertSettings(experiment: Experiment, settings: Settings): void {
  const texts = Object.entries(settings).map(([name, value]) => [name, String(value)] as const);
  const preset = defaultPreset(experiment);
  const resolved = resolveSettings(experiment, preset, Object.fromEntries(texts));
  const given = new Set(Object.keys(settings));
  const lacking = Object.keys(resolved).filter((name) => !given.has(name));
  if (lacking.length === 0) return;
  throw new MultigradError(
    'invalid-option',
    `The configuration should have all settings of \`${experiment.name}\`. It lacks ${lacking.join(', ')}.`,
  );
}

/** Settings with several learning rates: each is checked by itself, and they are kept as `0.003,0.01`. */
function sweep(
  experiment: Experiment,
  preset: string,
  texts: Readonly<Record<string, string>>,
  rates: readonly string[],
): Settings {
  const each = rates.map((lr) => resolveSettings(experiment, preset, { ...texts, lr }));
  return { ...each[0], lr: [...new Set(each.map(({ lr }) => lr))].join(',') };
}
