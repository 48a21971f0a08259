import { expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { withoutEffect } from './without-effect.ts';

const strategies = ['sum', 'sum+mslr', 'mmpareto', 'mmpareto+mslr', 'pcgrad+agm'];

it('names the balancing methods whose runs are those of the strategy alone, number by number', () => {
  const { runs } = recordedComparison({ strategies, seeds: [0, 1], epochs: 2 });
  const of = (label: string, seed: number): (typeof runs)[number] =>
    runs.find((run) => run.strategy === label && run.seed === seed)!;
  const same = runs.map((run) =>
    run.strategy.endsWith('+mslr')
      ? { ...run, epochs: of(run.strategy.replace('+mslr', ''), run.seed).epochs }
      : run,
  );
  expect(withoutEffect(same)).toEqual(['sum+mslr', 'mmpareto+mslr']);
  // One epoch of one seed that differs is an effect.
  const other = same.map((run) =>
    run.strategy === 'sum+mslr' && run.seed === 1
      ? { ...run, epochs: [run.epochs[0]!, of('pcgrad+agm', 1).epochs[1]!] }
      : run,
  );
  expect(withoutEffect(other)).toEqual(['mmpareto+mslr']);
});

it('says nothing where no run without the method is there to compare with', () => {
  const { runs } = recordedComparison({ strategies, seeds: [0], epochs: 1 });
  expect(withoutEffect(runs.filter(({ strategy }) => strategy === 'pcgrad+agm'))).toEqual([]);
});
