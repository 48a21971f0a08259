import type { Logs } from './callbacks.ts';
import type { Measured } from './measurements.ts';

/** What an epoch measured, by the names of logs; `loss` is the sum of all, each times its weight. */
export function epochLogs(
  { losses, metrics }: Measured,
  lossWeights: Readonly<Partial<Record<string, number>>>,
  prefix = '',
): Logs {
  const logs: Record<string, number> = {};
  // Where every step was skipped there is no loss, not one of 0.
  let total = Object.keys(losses).length === 0 ? NaN : 0;
  for (const [name, loss] of Object.entries(losses)) total += (lossWeights[name] ?? 1) * loss!;
  logs[`${prefix}loss`] = total;
  for (const [name, loss] of Object.entries(losses)) logs[`${prefix}${name}_loss`] = loss!;
  for (const [name, own] of Object.entries(metrics)) {
    for (const [metric, value] of Object.entries(own!)) logs[`${prefix}${name}_${metric}`] = value;
  }
  return logs;
}
