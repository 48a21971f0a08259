import { describe, expect, it } from 'vitest';
import { withLaterSettings } from '../runs/later-settings.ts';
import { experiments, requireExperiment } from './index.ts';
import { assertSettings, defaultPreset, resolveSettings } from './settings.ts';

const experiment = requireExperiment('cg-mnist');

describe('resolveSettings', () => {
  it('takes what is written before the preset, and the preset before the default', () => {
    const settings = resolveSettings(experiment, 'full', { epochs: '3', lr: '.05' });
    expect(settings).toMatchObject({
      epochs: 3,
      lr: 0.05,
      'train-size': 20_000,
      momentum: 0.9,
      'group-by': 'reach',
    });
  });

  it('has a value for every setting in both presets', () => {
    for (const preset of ['quick', 'full'] as const) {
      for (const value of Object.values(resolveSettings(experiment, preset, {})))
        expect(value).not.toBeNull();
    }
  });

  it.each([
    ['epochs', '0', 'Option `epochs` of `cg-mnist` should be an integer >= 1. Found 0.'],
    ['epochs', 'many', 'Found "many".'],
    ['lr', '-1', 'should be a number > 0. Found -1.'],
    ['group-by', 'layers', 'Did you mean `layer`?'],
    ['train-size', '60001', 'should be an integer from 1 to 60000. Found 60001.'],
    ['batch-size', '3001', 'should be at most `train-size`. Found 3001 for 3000 training samples.'],
    ['observe', '2.5', 'should be an integer >= 0. Found 2.5.'],
  ])('refuses --%s %s', (name, text, message) => {
    expect(() => resolveSettings(experiment, 'quick', { [name]: text })).toThrow(message);
  });
});

describe('requireExperiment', () => {
  it('suggests the nearest experiment', () => {
    expect(() => requireExperiment('cgmnist')).toThrow(
      'There is no experiment `cgmnist`. Did you mean `cg-mnist`?',
    );
  });
});

// Settings that experiments got after folders had been written, with the values that have the effect of their absence.
describe.each([
  ['modality-dropout', [0], 6],
  ['fusion', ['concatenation', 'cross-attention'], 4],
] as const)('settings of before `%s`', (setting, absent, least) => {
  const having = experiments.filter(({ settings }) => setting in settings);

  it.each(having.map((one) => [one.name, one] as const))('of %s are whole', (name, one) => {
    const copy = 'data' in one.settings ? { data: 'copy' } : {};
    const now = resolveSettings(one, defaultPreset(one), copy);
    const { [setting]: value, ...before } = now;
    expect(absent).toContain(value);
    expect(() => assertSettings(one, before)).toThrow(`It lacks ${setting}.`);
    expect(withLaterSettings(name, before)).toEqual(now);
    assertSettings(one, withLaterSettings(name, before));
  });

  it('gain nothing where the experiment has none', () => {
    expect(having.length).toBeGreaterThanOrEqual(least);
    for (const { name, settings } of experiments) {
      if (setting in settings) continue;
      expect(withLaterSettings(name, { lr: 1 })).not.toHaveProperty(setting);
    }
  });
});
