import { own } from '@multigrad/core/strategy';
import { describedExperiment } from '../experiments/described.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import type { EpochRecord } from '../runs/records.ts';

/** What tables, charts and selection show of an objective: its first metric, or its loss where it has none. */
export interface ShownMetric {
  /** Name in the records. */
  readonly name: string;
  readonly title: string;
  /** 1 where higher values are better, −1 where lower ones are. */
  readonly sign: 1 | -1;
  /** Unit of the values as shown; an empty text for none. */
  readonly unit: string;
  /** What values are multiplied by: 100 for shares shown in percent. */
  readonly scale: 1 | 100;
  /** Decimals. */
  readonly digits: number;
}

const loss: ShownMetric = { name: 'loss', title: 'loss', sign: -1, unit: '', scale: 1, digits: 3 };

/** What is shown of an objective. Experiments that this version does not know have accuracies, as all had in the first versions. */
export function shownMetric(config: ComparisonConfig, objective: string): ShownMetric {
  const described = describedExperiment(config);
  const metrics = described?.metrics ?? {
    accuracy: { title: 'accuracy', direction: 'higher', unit: '%', objectives: [objective] },
  };
  const found = Object.entries(metrics).find(([, one]) => one.objectives.includes(objective));
  if (found === undefined) return loss;
  const [name, { title, direction, unit }] = found;
  const percent = unit === '%';
  return {
    ...{ name, title, unit, sign: direction === 'higher' ? 1 : -1 },
    ...{ scale: percent ? 100 : 1, digits: percent ? 1 : 3 },
  };
}

/** How means over seeds are shown: shares with two digits of a percent. */
export function withFineShares(metric: ShownMetric): ShownMetric {
  return metric.scale === 100 ? { ...metric, digits: 2 } : metric;
}

/** The value of a metric on the test set after an epoch; undefined without an epoch, or where it was not measured. */
export function testScore(
  epoch: EpochRecord | null,
  objective: string,
  { name }: ShownMetric,
): number | undefined {
  const scores = epoch === null ? undefined : own(epoch.test, objective);
  return scores === undefined ? undefined : own(scores, name);
}

/** The heading of a metric's column: `test %` for accuracies, `test error m ↓` for others, with an arrow where lower is better. */
export function metricHeading({ name, title, unit, sign }: ShownMetric): string {
  const words = [...(name === 'accuracy' ? [] : [title]), unit].filter((word) => word !== '');
  return `test ${words.join(' ') || title}${sign === 1 ? '' : ' ↓'}`;
}

/** What all objectives are shown by, as `accuracy`; `metrics` where these differ. */
export function whatIsShown({
  metrics,
}: {
  readonly metrics: ReadonlyMap<string, ShownMetric>;
}): string {
  const titles = new Set(Array.from(metrics.values(), ({ title }) => title));
  return titles.size === 1 ? [...titles].join('') : 'metrics';
}
