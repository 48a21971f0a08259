import { median } from '../../shared/statistics.ts';
import { groupTitles } from '../../results/table.ts';
import type { Summary } from '../../results/figures.ts';
import type { GroupRecord } from '../../runs/records.ts';
import { type ChartMaker, type Panel, maximumPanels, omitted, unlessEmpty } from '../chart.ts';
import { type LinePoint, linePanelSpec } from '../line-panel.ts';
import type { StrategyStyle } from '../palette.ts';

const pointsPerLine = 30;

interface Sample {
  readonly step: number;
  readonly value: number;
}

/** Medians of the samples in equal stretches of training, each at the middle of its stretch. */
export function binnedMedians(
  samples: readonly Sample[],
  steps: number,
  points: number = pointsPerLine,
): { x: number; y: number }[] {
  const width = Math.max(1, Math.ceil(steps / points));
  const stretches = new Map<number, number[]>();
  for (const { step, value } of samples) {
    const stretch = Math.floor(step / width);
    stretches.set(stretch, [...(stretches.get(stretch) ?? []), value]);
  }
  return [...stretches]
    .sort(([a], [b]) => a - b)
    .map(([stretch, values]) => ({ x: (stretch + 0.5) * width, y: median(values) }));
}

/** The pairs of a group and an objective, for groups of two or more. */
function pairs(summary: Summary): { key: string; objective: string; title: string }[] {
  const titles = groupTitles(summary.groups);
  return summary.groups.flatMap((key, index) => {
    const found = summary.shown
      .flatMap((run) => run.steps.slice(0, 1))
      .flatMap((step) => step.groups)
      .find((group) => group.key === key);
    return (found?.objectives ?? []).map((objective) => ({
      key,
      objective,
      title: `${titles[index]!} parameters: ${objective} gradient`,
    }));
  });
}

function samplesOf(
  summary: Summary,
  strategy: string,
  key: string,
  value: (group: GroupRecord) => number | undefined,
): Sample[] {
  return summary.shown
    .filter((run) => run.strategy === strategy)
    .flatMap((run) =>
      run.steps.flatMap(({ step, groups }) => {
        const group = groups.find((one) => one.key === key);
        const found = group && value(group);
        return found !== undefined && Number.isFinite(found) ? [{ step, value: found }] : [];
      }),
    );
}

function stepPanels(
  summary: Summary,
  styles: readonly StrategyStyle[],
  yTitle: string,
  logarithmic: boolean,
  value: (group: GroupRecord, objective: string) => number | undefined,
): Panel[] {
  const steps = Math.max(1, ...summary.rows.map((row) => row.steps));
  return pairs(summary)
    .slice(0, maximumPanels)
    .flatMap(({ key, objective, title }) => {
      const points: LinePoint[] = summary.config.strategies.flatMap((strategy) => {
        const samples = samplesOf(summary, strategy, key, (group) =>
          value(group, objective),
        ).filter((sample) => !logarithmic || sample.value > 0);
        return binnedMedians(samples, steps).map((point) => ({ strategy, ...point }));
      });
      if (points.length === 0) return [];
      return [
        {
          title,
          description: `${title}: ${yTitle} over training steps, one line per strategy`,
          spec: linePanelSpec(
            {
              points,
              xTitle: 'training step',
              yTitle,
              xDomain: [0, steps],
              logarithmic,
              marks: steps < 60,
            },
            styles,
          ),
        },
      ];
    });
}

/** The norm of each objective's gradient in each group over training. */
export const normChart: ChartMaker = (summary, styles) =>
  unlessEmpty({
    id: 'norms',
    title: 'Gradient norms over training',
    explanation:
      'Length of each objective’s gradient in a group of parameters, before any weights; medians over the sampled ' +
      `steps of a stretch, over all seeds. The axis is logarithmic.${omitted(pairs(summary).length, 'pairs of group and objective')}`,
    legend: true,
    panels: stepPanels(
      summary,
      styles,
      'gradient norm',
      true,
      (group, objective) => group.norms?.[group.objectives.indexOf(objective)],
    ),
  });

/** The weight that each strategy gives each objective over training. */
export const weightChart: ChartMaker = (summary, styles) =>
  unlessEmpty({
    id: 'weights',
    title: 'Weights over training',
    explanation:
      'What a strategy multiplies each objective’s gradient by before they are added; 1 is the plain sum. Medians over ' +
      `the sampled steps of a stretch, over all seeds.${omitted(pairs(summary).length, 'pairs of group and objective')}`,
    legend: true,
    panels: stepPanels(
      summary,
      styles,
      'weight',
      false,
      (group, objective) => group.weights[group.objectives.indexOf(objective)],
    ),
  });
