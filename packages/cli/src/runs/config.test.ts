import { describe, expect, it } from 'vitest';
import type { ComparisonConfig } from './config.ts';
import { configDifferences } from './config.ts';

const config: ComparisonConfig = {
  format: 1,
  version: '1.0.0',
  command: 'compare',
  recipe: 'cg-mnist',
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
