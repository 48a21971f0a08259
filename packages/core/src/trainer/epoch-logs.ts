import { own } from '../base/own.ts';
import type { Logs } from './callbacks.ts';
import { logsOf } from './log-names.ts';
import type { Measured } from './measurements.ts';

/** What an epoch measured, by the names of logs; `loss` is the sum of all, each times its weight. */
export function epochLogs(
  measured: Measured,
  lossWeights: Readonly<Partial<Record<string, number>>>,
  prefix: '' | 'val_' = '',
): Logs {
  const losses = Object.entries(measured.losses);
  // Where every step was skipped there is no loss, not one of 0.
  const total = losses.reduce(
    (sum, [name, loss]) => sum + (own(lossWeights, name) ?? 1) * loss!,
    losses.length === 0 ? NaN : 0,
  );
  return Object.fromEntries([
    [`${prefix}loss`, total],
    ...logsOf(measured, prefix).map(({ name, value }) => [name, value] as const),
  ]);
}
