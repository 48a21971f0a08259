import { own } from '@multigrad/core/strategy';
import type { Summary } from './figures.ts';
import type { ShownMetric } from './shown-metric.ts';
import { mostSeeds, type PairedTest, seedsNeeded, significance } from './paired-test.ts';

/** What the seeds say about one objective, in sentences. */
export interface Findings {
  readonly objective: string;
  readonly sentences: readonly string[];
}

/** A p value as papers write it: `p = .20`, `p = .024`, `p < .001`. */
export function formatP(p: number): string {
  if (p < 0.001) return 'p < .001';
  const text = p.toFixed(p < 0.1 ? 3 : 2);
  return p > 0.995 ? 'p = 1' : `p = ${text.replace(/^0/, '')}`;
}

const shownValue = (value: number, { scale, digits }: ShownMetric): string => {
  const text = (scale * value).toFixed(digits).replace(/^-(?=[0.]+$)/, '');
  return text.replace('-', '−');
};

/** One difference to the reference in words, with the seeds, the interval, the test and how many seeds it would take. */
function differenceSentence(
  title: string,
  reference: string,
  test: PairedTest,
  metric: ShownMetric,
): string {
  const points = (value: number): string => shownValue(value, metric);
  const unit = metric.scale === 100 ? ' points' : metric.unit === '' ? '' : ` ${metric.unit}`;
  const { mean, n, interval, p, corrected, comparisons } = test;
  const size = points(Math.abs(mean));
  const place =
    Number(size) === 0
      ? `is level with ${reference}`
      : `is ${size}${unit} ${mean > 0 ? 'above' : 'below'} ${reference}`;
  if (p === null || corrected === null) {
    return `With one seed ${title} ${place}; nothing can be said about a difference.`;
  }
  const correction =
    comparisons > 1 ? ` after Holm’s correction for ${comparisons} comparisons` : '';
  const evidence =
    interval === null
      ? `the same for every seed; exact sign-flip test, ${formatP(corrected)}${correction}`
      : `95 % interval ${points(interval[0])} to ${points(interval[1])}; paired t test, ${formatP(corrected)}${correction}`;
  const needed = seedsNeeded(test);
  const more =
    corrected < significance || interval === null
      ? ''
      : ` To see a difference of this size and spread with power .8 would take ${
          needed === null ? `more than ${mostSeeds}` : `${needed}`
        } seeds${comparisons > 1 ? ', the correction included' : ''}.`;
  return `Over ${n} seeds ${title} ${place} (${evidence}).${more}`;
}

/** Each strategy beside the reference, in words, by objective; empty where there is one strategy alone. */
export function differenceFindings({
  rows,
  objectives,
  reference,
  titles,
  metrics,
}: Summary): readonly Findings[] {
  return objectives
    .map((objective) => ({
      objective,
      sentences: rows.flatMap(({ title, difference }) => {
        const test = own(difference, objective);
        return test
          ? [
              differenceSentence(
                title,
                titles.get(reference) ?? reference,
                test,
                metrics.get(objective)!,
              ),
            ]
          : [];
      }),
    }))
    .filter(({ sentences }) => sentences.length > 0);
}

/** For each objective which strategy is best, and which are not distinguishable from it; empty where one seed was run. */
export function standingSentences({ rows, objectives }: Summary): readonly string[] {
  return objectives.flatMap((objective) => {
    const named = (standing: string): string[] =>
      rows.filter((row) => own(row.standing, objective) === standing).map(({ title }) => title);
    const [best] = named('best');
    if (best === undefined) return [];
    const close = named('close');
    return [
      close.length > 0
        ? `${objective}: ${best} is best; not distinguishable from it: ${close.join(', ')}.`
        : `${objective}: ${best} is best, and every other strategy is behind it.`,
    ];
  });
}
