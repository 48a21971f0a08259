import { csvLine } from '@multigrad/callbacks';
import { own } from '@multigrad/core/strategy';
import { mean } from '../shared/statistics.ts';
import type { Summary } from './figures.ts';
import { hypervolume } from './metrics.ts';
import type { Table } from './table.ts';

/** What the runs of one ray have come to. */
export interface FrontPoint {
  /** The strategy's specifier, with the preference that follows from the ray. */
  readonly strategy: string;
  readonly title: string;
  /** Direction in the space of the losses, of the length 1, by objective. */
  readonly ray: Readonly<Record<string, number>>;
  /** Test loss after the chosen epoch, the mean over seeds, by objective. */
  readonly losses: Readonly<Record<string, number>>;
  /** Angle between losses and ray, in degrees: 0 where they keep to it. */
  readonly angle: number;
  /** `μ = Σ_k q_k ln(K q_k)` with q_k the share of `L_k / ray_k` in their sum: 0 on the ray, ln K at most. */
  readonly nonUniformity: number;
  /** Whether another point is as good for every objective, and better for one. */
  readonly dominated: boolean;
  /** Whether a loss is no smaller than the reference point's: the point adds nothing to the hypervolume. */
  readonly beyondReference: boolean;
}

/** The front that a strategy has found with several preferences. */
export interface Front {
  readonly objectives: readonly string[];
  readonly points: readonly FrontPoint[];
  /** Losses of the reference point, by objective: those that were asked for, or 1.1 times the greatest loss of any point. */
  readonly reference: Readonly<Record<string, number>>;
  /** Whether the reference point was asked for. */
  readonly referenceGiven: boolean;
  /** Volume of all losses between the reference point and at least one point of the front; 0 or more. */
  readonly hypervolume: number;
  /** The same over the volume of the box between zero and the reference point, 0 to 1. */
  readonly hypervolumeShare: number;
}

/** The front of a comparison that `multigrad front` made; null for another, or where no run has been measured. */
export function frontOf({ config, shown, titles }: Summary): Front | null {
  const { rays } = config;
  if (rays === undefined) return null;
  const objectives = Object.keys(Object.values(rays)[0] ?? {});
  const measured = config.strategies.flatMap((strategy) => {
    const ray = own(rays, strategy);
    const epochs = shown.flatMap((run) => (run.strategy === strategy ? [run.epoch] : []));
    const losses = objectives.map((name) =>
      epochs.flatMap((epoch) => own(epoch?.test ?? {}, name)?.loss ?? []),
    );
    if (ray === undefined || losses.some((values) => values.length === 0)) return [];
    const means = losses.map(mean);
    return means.every(Number.isFinite) ? [{ strategy, ray, means }] : [];
  });
  if (measured.length === 0) return null;
  const reference = objectives.map(
    (name, k) =>
      own(config.reference ?? {}, name) ??
      1.1 * Math.max(...measured.map(({ means }) => means[k]!)),
  );
  const isBeyond = (means: readonly number[]): boolean =>
    means.some((loss, k) => loss >= reference[k]!);
  const gains = measured
    .filter(({ means }) => !isBeyond(means))
    .map(({ means }) => means.map((loss, k) => reference[k]! - loss));
  const volume = hypervolume(gains);
  const box = reference.reduce((product, value) => product * value, 1);
  const named = (values: readonly number[]): Record<string, number> =>
    Object.fromEntries(objectives.map((name, k) => [name, values[k]!]));
  return {
    objectives,
    points: measured.map(({ strategy, ray, means }) => {
      const aim = objectives.map((name) => own(ray, name)!);
      return {
        strategy,
        title: titles.get(strategy) ?? strategy,
        ray,
        losses: named(means),
        angle: angleBetween(means, aim),
        nonUniformity: nonUniformity(means, aim),
        dominated: measured.some((other) => dominates(other.means, means)),
        beyondReference: isBeyond(means),
      };
    }),
    reference: named(reference),
    referenceGiven: config.reference !== undefined,
    hypervolume: volume,
    hypervolumeShare: box > 0 ? volume / box : 0,
  };
}

function angleBetween(losses: readonly number[], ray: readonly number[]): number {
  const along = losses.reduce((sum, loss, k) => sum + loss * ray[k]!, 0);
  const lengths = Math.hypot(...losses) * Math.hypot(...ray);
  if (lengths === 0) return 0;
  // By the sine too: near zero the cosine alone loses half of its digits.
  const aside = Math.hypot(
    ...losses.map((loss, k) => loss - (along / Math.hypot(...ray) ** 2) * ray[k]!),
  );
  return (180 / Math.PI) * Math.atan2(aside * Math.hypot(...ray), along);
}

function nonUniformity(losses: readonly number[], ray: readonly number[]): number {
  const relative = losses.map((loss, k) => Math.max(0, loss) / ray[k]!);
  const total = relative.reduce((sum, value) => sum + value, 0);
  if (total === 0) return 0;
  return relative.reduce((sum, value) => {
    const share = value / total;
    return share > 0 ? sum + share * Math.log(losses.length * share) : sum;
  }, 0);
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, k) => value <= b[k]!) && a.some((value, k) => value < b[k]!);
}

/**
 * The front as a table of the report.
 *
 * @param withRays - whether the components of each ray have columns. @defaultValue true
 */
export function frontTable({ objectives, points }: Front, withRays = true): Table {
  const aimed = withRays ? objectives : [];
  return {
    columns: [
      { title: 'ray', detail: '' },
      ...aimed.map((name) => ({ title: name, detail: 'ray' })),
      ...objectives.map((name) => ({ title: name, detail: 'test loss' })),
      { title: 'angle', detail: 'degrees' },
      { title: 'μ', detail: '' },
      { title: 'dominated', detail: '' },
    ],
    rows: points.map(({ title, ray, losses, angle, nonUniformity: mu, dominated }) => [
      title,
      ...aimed.map((name) => own(ray, name)!.toFixed(3)),
      ...objectives.map((name) => own(losses, name)!.toPrecision(4)),
      angle.toFixed(1),
      mu.toPrecision(3),
      dominated ? 'yes' : 'no',
    ]),
  };
}

/** Sentences that say what the figures of a front are. */
export function frontSentences(front: Front): string[] {
  const { objectives, points, reference, referenceGiven } = front;
  const named = objectives
    .map((name) => `${name} ${own(reference, name)!.toPrecision(4)}`)
    .join(', ');
  const share = (100 * front.hypervolumeShare).toFixed(1);
  const left = points.filter(({ dominated }) => dominated).length;
  const beyond = points.filter(({ beyondReference }) => beyondReference).length;
  const angles = mean(points.map(({ angle }) => angle)).toFixed(1);
  const greatest = Math.max(...points.map(({ angle }) => angle)).toFixed(1);
  return [
    `Hypervolume ${front.hypervolume.toPrecision(4)}, ${share} % of the box between zero and the reference point (${named}` +
      `${referenceGiven ? '' : ': 1.1 times the greatest loss of any point'}).`,
    ...(beyond === 0
      ? []
      : [
          `${beyond} of ${points.length} points ${beyond === 1 ? 'has' : 'have'} a loss beyond the reference point, and ` +
            `${beyond === 1 ? 'adds' : 'add'} nothing to the hypervolume.`,
        ]),
    `Angle between losses and ray: ${angles} degrees on average, ${greatest} at most. μ = Σ q ln(K q), with q the share of loss over ` +
      'ray of each objective: 0 on the ray.',
    left === 0
      ? 'No point is dominated by another.'
      : `${left} of ${points.length} points ${left === 1 ? 'is' : 'are'} dominated by another.`,
  ];
}

/** The front as CSV, a line for each ray. */
export function frontCsv({ objectives, points }: Front): string {
  const heading = [
    'strategy',
    ...objectives.map((name) => `ray_${name}`),
    ...objectives.map((name) => `test_loss_${name}`),
    'angle_degrees',
    'non_uniformity',
    'dominated',
  ];
  const lines = points.map((point) => [
    point.strategy,
    ...objectives.map((name) => own(point.ray, name)!),
    ...objectives.map((name) => own(point.losses, name)!),
    point.angle,
    point.nonUniformity,
    point.dominated ? 'yes' : 'no',
  ]);
  return [heading, ...lines].map(csvLine).join('');
}
