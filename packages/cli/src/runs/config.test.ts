import { describe, expect, it } from 'vitest';
import type { ComparisonConfig } from './config.ts';
import { checkConfig, configDifferences, extendsConfig, mergeConfigs } from './config.ts';

const config: ComparisonConfig = {
  format: 1,
  version: '1.0.0',
  command: 'compare',
  experiment: 'cg-mnist',
  strategies: ['sum', 'mgda'],
  seeds: [0, 1],
  settings: { epochs: 4, backend: 'auto' },
};

describe('configDifferences', () => {
  it('finds none between equal ones', () => {
    expect(
      configDifferences(config, JSON.parse(JSON.stringify(config)) as ComparisonConfig),
    ).toEqual([]);
  });

  it('names each entry with both values', () => {
    const other = { ...config, strategies: ['sum'], settings: { epochs: 8, lr: 0.1 } };
    expect(configDifferences(config, other)).toEqual([
      'strategies: ["sum","mgda"] there, ["sum"] now',
      'epochs: 4 there, 8 now',
      'backend: "auto" there, none now',
      'lr: none there, 0.1 now',
    ]);
  });
});

describe('the command of a configuration', () => {
  it('is one that trains, and is never missing', () => {
    expect(checkConfig({ ...config, settings: { lr: 0.1 } }, 'it').command).toBe('compare');
    for (const command of [undefined, 'report', 3]) {
      expect(() => checkConfig({ ...config, command }, 'config.json')).toThrow(
        'config.json should hold `command`, one of compare, train, analyze, front.',
      );
    }
  });

  it('keeps no comparison out of a folder that train made', () => {
    const trained: ComparisonConfig = { ...config, command: 'train', strategies: ['sum'] };
    expect(extendsConfig(trained, config)).toBe(true);
    expect(mergeConfigs(trained, config)).toEqual({ ...config, command: 'train' });
  });
});

describe('titles of strategies of others', () => {
  it('are kept, add up, and tell no two configurations apart', () => {
    const mine: ComparisonConfig = {
      ...config,
      settings: { lr: 0.1 },
      strategies: ['./mine.js'],
      titles: { './mine.js': 'Mine' },
    };
    expect(checkConfig(mine, 'it').titles).toEqual({ './mine.js': 'Mine' });
    expect(() => checkConfig({ ...mine, titles: { './mine.js': 1 } }, 'it')).toThrow('titles');
    expect(configDifferences(mine, { ...mine, titles: { './mine.js': 'Other' } })).toEqual([]);
    const { titles } = mergeConfigs(mine, { ...mine, titles: { 'their-own': 'Theirs' } });
    expect(titles).toEqual({ './mine.js': 'Mine', 'their-own': 'Theirs' });
    expect('titles' in mergeConfigs(config, config)).toBe(false);
  });
});

describe('a configuration of before an experiment got a setting', () => {
  const before = { ...config, settings: { lr: 0.1 } };

  it('has it with the value that has the effect of its absence, and is gone on with', () => {
    const read = checkConfig(before, 'config.json');
    expect(read.settings).toEqual({
      ...{ lr: 0.1, 'modality-dropout': 0 },
      fusion: 'concatenation',
    });
    const now = { ...config, settings: read.settings };
    expect(extendsConfig(read, now)).toBe(true);
    const dropping = { ...now, settings: { ...now.settings, 'modality-dropout': 0.2 } };
    expect(configDifferences(read, dropping)).toEqual(['modality-dropout: 0 there, 0.2 now']);
    expect(checkConfig(dropping, 'config.json').settings).toEqual(dropping.settings);
  });

  it('stays as it is where the experiment never got one, or is one of a user’s', () => {
    const other = { ...before, experiment: 'multi-mnist' };
    expect(checkConfig(other, 'config.json').settings).toEqual({ lr: 0.1 });
    const module = { specifier: './mine.js', file: '../mine.js', digest: '0' };
    expect(checkConfig({ ...before, module }, 'config.json').settings).toEqual({ lr: 0.1 });
  });
});
