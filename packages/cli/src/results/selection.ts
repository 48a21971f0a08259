import { own } from '@multigrad/core/strategy';
import { describedExperiment } from '../experiments/described.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import type { EpochRecord, RunRecord } from '../runs/records.ts';
import { mean } from '../shared/statistics.ts';
import { learningRates, selectsBest } from '../runs/settings.ts';

// Chooses which epoch and learning rate tables show: the last epoch, or the best one on the validation set. The test set is
// never used for it.

/**
 * What models are selected by after an epoch, larger is better: the validation accuracy of the experiment's joint objective,
 * or the mean over all objectives where tasks stand side by side; null where nothing was validated.
 */
function validationScore({ validation }: EpochRecord, objective: string | null): number | null {
  if (validation === undefined) return null;
  const scores = objective === null ? Object.values(validation) : [own(validation, objective)];
  const accuracies = scores.map((score) => score?.accuracy ?? Number.NaN);
  const score = mean(accuracies);
  return Number.isFinite(score) ? score : null;
}

/** The epoch whose figures tables show: the last, or with `select: 'best'` the first with the best validation score. */
export function selectEpoch(run: RunRecord, config: ComparisonConfig): EpochRecord | null {
  const last = run.epochs.at(-1) ?? null;
  if (!selectsBest(config.settings)) return last;
  const objective = describedExperiment(config)?.baseline ?? null;
  let [best, bestScore] = [last, Number.NEGATIVE_INFINITY];
  for (const epoch of run.epochs) {
    const score = validationScore(epoch, objective) ?? Number.NEGATIVE_INFINITY;
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
  const objective = describedExperiment(config)?.baseline ?? null;
  let [best, bestScore] = [rates[0]!, Number.NEGATIVE_INFINITY];
  for (const rate of rates) {
    const scores = runs.flatMap((run) => {
      if (run.lr !== rate || run.result?.status !== 'finished') return [];
      const epoch = selectEpoch(run, config);
      return epoch === null ? [] : [validationScore(epoch, objective) ?? Number.NEGATIVE_INFINITY];
    });
    const score = scores.length > 0 ? mean(scores) : Number.NEGATIVE_INFINITY;
    if (score > bestScore) [best, bestScore] = [rate, score];
  }
  return best;
}
