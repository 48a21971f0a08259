import type { ComparisonConfig } from '../runs/config.ts';
import type { RunRecord } from '../runs/records.ts';
import { spreadRays } from '../strategies/rays.ts';
import { recordedComparison } from './recorded-comparison.ts';

/**
 * A front made up by formulas: runs of `epo` with spread rays, whose losses end near them.
 *
 * @param objectives - two or three of `multimodal`, `gray` and `color`
 */
export function recordedFront(
  objectives: readonly string[],
  count: number,
): { config: ComparisonConfig; runs: RunRecord[] } {
  const spread = spreadRays(objectives, count);
  const rays = Object.fromEntries(
    spread.map((ray) => [
      `epo:${objectives.map((name) => `preference.${name}=${(1 / ray[name]!).toPrecision(6)}`).join(',')}`,
      ray,
    ]),
  );
  const { config, runs } = recordedComparison({ strategies: Object.keys(rays), epochs: 1 });
  const ended = runs.map((run) => ({
    ...run,
    epochs: run.epochs.map((epoch) => ({
      ...epoch,
      test: Object.fromEntries(
        objectives.map((name, k) => [
          name,
          { loss: rays[run.strategy]![name]! + 0.05 * k + 0.1 * run.seed, accuracy: 0.5 },
        ]),
      ),
    })),
  }));
  return { config: { ...config, command: 'front', rays }, runs: ended };
}
