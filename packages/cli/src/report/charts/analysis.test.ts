import { expect, it } from 'vitest';
import { summarize } from '../../results/summary.ts';
import { recordedComparison } from '../../testing/recorded-comparison.ts';
import { gradientSizeChart } from './analysis.ts';

const { config, runs } = recordedComparison({
  strategies: ['sum'],
  seeds: [0],
  epochs: 2,
  stepsPerEpoch: 2,
});

/** A chart of the norms of one objective's gradient at some epochs. */
function chartOf(norms: ReadonlyMap<number, number>): string {
  const [run] = runs;
  const [objective] = Object.keys(run!.epochs[0]!.train);
  const analysis = Array.from(norms, ([epoch, norm]) => ({
    ...{ kind: 'gradients' as const, epoch, batches: 2 },
    parts: [
      {
        part: 'trunk',
        objectives: [
          {
            ...{ objective: objective!, norm, normDeviation: 0 },
            ...{ meanNorm: norm, covarianceTrace: 0 },
          },
        ],
        cosines: [],
      },
    ],
  }));
  return JSON.stringify(gradientSizeChart(summarize(config, [{ ...run!, analysis }]), []));
}

it('takes no more time for an epoch of a large number, as a file may name any', () => {
  expect(chartOf(new Map([[2 ** 40, 1]]))).toContain(`"x":${2 ** 40},"y":1`);
});

it('ends its axis at the largest number that there is', () => {
  const panel = chartOf(
    new Map([
      [0, Number.MAX_VALUE],
      [1, 1],
    ]),
  );
  expect(panel).toContain('"x":1,"y":1');
});
