import { own } from '@multigrad/core/strategy';
import type { SampleMean } from '@multigrad/models';
import type { TopLevelSpec } from 'vega-lite';
import {
  type ContributionEstimate,
  contributionRecords,
  formatContribution,
  measuredModalities,
  overSeeds,
} from '../../results/contributions.ts';
import type { Summary } from '../../results/figures.ts';
import { type Chart, type ChartMaker, maximumPanels, omitted, unlessEmpty } from '../chart.ts';
import { numberFormat, strategyEncoding } from '../line-panel.ts';
import { ink, type StrategyStyle, strategyStyles } from '../palette.ts';
import { bandSentence, epochPanels, epochPoints } from './epochs.ts';

const plotWidth = 230;

/** One row of a panel: a strategy or a class, and one mark in it. */
interface Mark extends ContributionEstimate {
  /** Whose colour and shape the mark has. */
  readonly strategy: string;
  /** What its row is called. */
  readonly row: string;
}

/** Marks with what is known of them to either side, a row for each name, and a line at zero. */
function rowsSpec(
  marks: readonly Mark[],
  styles: readonly StrategyStyle[],
  { named, step }: { readonly named: boolean; readonly step: number },
): TopLevelSpec {
  const { color, shape } = strategyEncoding(styles);
  const titles = new Map(styles.map(({ strategy, title }) => [strategy, title]));
  const several = new Set(marks.map(({ strategy }) => strategy)).size;
  const values = marks.map((mark) => ({
    ...mark,
    ...{ mean: 100 * mark.mean, low: 100 * mark.low, high: 100 * mark.high },
    label: `${named ? '' : `${mark.row}, `}${titles.get(mark.strategy)!}: ${formatContribution(mark)} points`,
  }));
  const y = {
    field: 'row',
    type: 'nominal',
    sort: null,
    ...(named
      ? { axis: null }
      : { title: 'class', axis: { domain: false, ticks: false, grid: true } }),
  };
  // Modalities of a class stand below each other in its row.
  const yOffset = named
    ? {}
    : {
        yOffset: {
          field: 'strategy',
          sort: styles.map(({ strategy }) => strategy),
          scale: { paddingOuter: several > 1 ? 0.3 : 0 },
        },
      };
  const x = {
    type: 'quantitative',
    title: 'points of accuracy',
    scale: { padding: 8 },
    axis: { format: numberFormat },
  };
  const offset = named ? { yOffset: 7 } : {};
  const zero = {
    data: { values: [{ zero: 0 }] },
    mark: { type: 'rule', color: ink, opacity: 0.5 },
    encoding: { x: { field: 'zero', ...x } },
  };
  const names = {
    mark: { type: 'text', align: 'left', baseline: 'bottom', dy: -1, fontSize: 11, color: ink },
    encoding: { y, x: { value: 0 }, text: { field: 'row', type: 'nominal' } },
  };
  const reach = {
    mark: { type: 'rule', ...offset, strokeWidth: 2, opacity: 0.6 },
    encoding: { y, ...yOffset, x: { field: 'low', ...x }, x2: { field: 'high' }, color },
  };
  const points = {
    mark: { type: 'point', ...offset, filled: true, size: 55, opacity: 1, aria: true },
    encoding: {
      ...{ y, ...yOffset, x: { field: 'mean', ...x }, color, shape },
      description: { field: 'label', type: 'nominal' },
    },
  };
  return {
    width: plotWidth,
    height: { step, for: 'position' },
    data: { values },
    layer: [zero, ...(named ? [names] : []), reach, points],
  } as unknown as TopLevelSpec;
}

/** What the lines to either side of a mark are. */
function reachSentence({ config }: Summary): string {
  return config.seeds.length > 1
    ? 'Marks are means over seeds, lines one standard deviation to either side.'
    : 'Lines are the 95 % interval over test samples.';
}

function masksOf(summary: Summary): string {
  const [record] = summary.rows.flatMap(({ strategy }) => contributionRecords(summary, strategy));
  return { zero: 'zeros', mean: 'means over the training set', token: 'learnt tokens' }[
    record?.masks ?? 'zero'
  ];
}

/** The contribution of each modality after the chosen epoch, one row for each strategy. */
export const contributionChart: ChartMaker = (summary, styles) =>
  unlessEmpty({
    id: 'contribution',
    title: 'What each modality contributes',
    explanation:
      `Shapley values of the joint head’s test accuracy, with ${masksOf(summary)} in the place of modalities that are not ` +
      `seen: a strategy’s values add up to its accuracy less chance. ${reachSentence(summary)}`,
    legend: false,
    panels: measuredModalities(summary).flatMap((name) => {
      const marks = summary.rows.flatMap(({ strategy, title }): Mark[] => {
        const found = overSeeds(
          contributionRecords(summary, strategy).map(({ contributions }) =>
            own(contributions, name),
          ),
        );
        return found === null ? [] : [{ strategy, row: title, ...found }];
      });
      if (marks.length === 0) return [];
      return [
        {
          title: name,
          description: `Contribution of ${name} in points of accuracy, by strategy`,
          spec: rowsSpec(marks, styles, { named: true, step: 34 }),
        },
      ];
    }),
  });

/** The contribution of each modality to each class, one panel for each strategy. */
export const classContributionChart: ChartMaker = (summary) => {
  const modalities = measuredModalities(summary);
  const styles = strategyStyles(modalities);
  const panels = summary.rows.flatMap(({ strategy, title }) => {
    const records = contributionRecords(summary, strategy);
    const labels = [
      ...new Set(records.flatMap(({ byClass }) => byClass.map(({ label }) => label))),
    ].sort((a, b) => a - b);
    const marks = labels.flatMap((label) =>
      modalities.flatMap((name): Mark[] => {
        const found = overSeeds(records.map((record) => ofClass(record.byClass, label, name)));
        return found === null ? [] : [{ strategy: name, row: String(label), ...found }];
      }),
    );
    if (marks.length === 0) return [];
    return [
      {
        title,
        description: `${title}: contribution of each modality to each class, in points of accuracy`,
        spec: rowsSpec(marks, styles, { named: false, step: 8 + 11 * modalities.length }),
      },
    ];
  });
  return unlessEmpty({
    id: 'class-contribution',
    title: 'What each modality contributes, by class',
    explanation:
      'Shapley values of the joint head’s accuracy on the test samples of each class alone. With everything masked the network ' +
      'names one class for every sample: chance is 100 % for that class, where contributions cannot add up to more than 0, and ' +
      '0 % for the others. ' +
      reachSentence(summary) +
      omitted(panels.length, 'panels'),
    legend: styles,
    panels: panels.slice(0, maximumPanels),
  });
};

function ofClass(
  byClass: readonly {
    readonly label: number;
    readonly contributions: Readonly<Record<string, SampleMean>>;
  }[],
  label: number,
  modality: string,
): SampleMean | undefined {
  const figures = byClass.find((one) => one.label === label);
  return figures && own(figures.contributions, modality);
}

/** Contributions over the epochs, where several were measured. */
export const contributionEpochsChart: ChartMaker = (summary, styles): Chart | null => {
  const measured = summary.shown.some(
    ({ epochs }) => epochs.filter(({ contribution }) => contribution !== undefined).length > 1,
  );
  if (!measured) return null;
  return unlessEmpty({
    id: 'contribution-epochs',
    title: 'Contributions over training',
    explanation: `Shapley values of the joint head’s test accuracy after each epoch that was measured.${bandSentence(summary)}`,
    legend: true,
    panels: epochPanels(
      summary,
      styles,
      measuredModalities(summary).map((name) => ({
        title: name,
        yTitle: 'points of accuracy',
        points: epochPoints(summary, ({ contribution }) => {
          const found = contribution && own(contribution.contributions, name);
          return found && 100 * found.value;
        }),
      })),
    ),
  });
};
