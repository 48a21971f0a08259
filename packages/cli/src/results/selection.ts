import { own } from '@multigrad/core/strategy';
import { describedExperiment } from '../experiments/described.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import type { EpochRecord, RunRecord } from '../runs/records.ts';
import { mean } from '../shared/statistics.ts';
import { learningRates, selectsBest } from '../runs/settings.ts';
import { shownMetric } from './shown-metric.ts';

// Chooses which epoch and learning rate tables show: the last epoch, or the best one on the validation set. The test set is
// never used for it.

/**
 * What models are selected by after an epoch, larger is better; null where nothing was validated. It is the metric that is shown of
 * the baseline, or the mean over all objectives where tasks stand side by side. Where these have different metrics it is the mean
 * of the logarithms, which no unit changes: of values > 0 alone.
 */
function validationScore({ validation }: EpochRecord, config: ComparisonConfig): number | null {
  if (validation === undefined) return null;
  const objective = describedExperiment(config)?.baseline ?? null;
  const names = objective === null ? Object.keys(validation) : [objective];
  const metrics = names.map((name) => shownMetric(config, name));
  const values = names.map((name, k) => {
    const scores = own(validation, name);
    return (scores && own(scores, metrics[k]!.name)) ?? Number.NaN;
  });
  const alike = metrics.every(({ name }) => name === metrics[0]!.name);
  const score = mean(
    values.map((value, k) => metrics[k]!.sign * (alike ? value : Math.log(value))),
  );
  return Number.isFinite(score) ? score : null;
}

/** The epoch whose figures tables show: the last, or with `select: 'best'` the first with the best validation score. */
export function selectEpoch(run: RunRecord, config: ComparisonConfig): EpochRecord | null {
  const last = run.epochs.at(-1) ?? null;
  if (!selectsBest(config.settings)) return last;
  let [best, bestScore] = [last, Number.NEGATIVE_INFINITY];
  for (const epoch of run.epochs) {
    const score = validationScore(epoch, config) ?? Number.NEGATIVE_INFINITY;
    if (score > bestScore) [best, bestScore] = [epoch, score];
  }
  return best;
}

/**
 * The learning rate that stands for a strategy: the one whose finished runs validate best on average; of several that
 * were tried, one without a finished run is not chosen.
 *
 * @param runs - the strategy's runs at every rate
 */
export function selectRate(runs: readonly RunRecord[], config: ComparisonConfig): number {
  const rates = learningRates(config.settings);
  let [best, bestScore] = [rates[0]!, Number.NEGATIVE_INFINITY];
  for (const rate of rates) {
    const scores = runs.flatMap((run) => {
      if (run.lr !== rate || run.result?.status !== 'finished') return [];
      const epoch = selectEpoch(run, config);
      return epoch === null ? [] : [validationScore(epoch, config) ?? Number.NEGATIVE_INFINITY];
    });
    const score = scores.length > 0 ? mean(scores) : Number.NEGATIVE_INFINITY;
    if (score > bestScore) [best, bestScore] = [rate, score];
  }
  return best;
}
