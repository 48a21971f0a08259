import { own } from '@multigrad/core/strategy';
import { groupTitles } from '../results/table.ts';
import { mean } from '../shared/statistics.ts';
import type { StudyRecord } from './study-record.ts';

/** What the gradients of one group did over training, the mean over seeds. */
export interface GradientCourse {
  /** What the group is called. */
  readonly title: string;
  /**
   * After each epoch the length of the joint objective's gradient over that of the others' (their mean), or where no objective
   * is the joint one the shortest over the longest; null where none was seen.
   */
  readonly lengths: readonly (number | null)[];
  /** Quartiles of the cosines between objectives in each epoch; null where none was seen. */
  readonly cosines: readonly (readonly [number, number, number] | null)[];
  /**
   * The same ratio of the traces of the gradients' covariance over batches at fixed weights, before training and after each epoch;
   * empty where no run was looked at so.
   */
  readonly traces: readonly (number | null)[];
  /** Share of the steps looked at in which two objectives' gradients pointed against each other, 0 to 1; null where none was. */
  readonly conflicts: number | null;
}

/** The courses of all groups that every record has. */
export function gradientCourses(
  records: readonly StudyRecord[],
  baseline: string | null,
): GradientCourse[] {
  const [first] = records;
  if (first === undefined) return [];
  const keys = Object.keys(first.gradients).filter((key) =>
    records.every(({ gradients }) => Object.hasOwn(gradients, key)),
  );
  const titles = groupTitles(keys);
  return keys.map((key, index) => {
    const curves = records.map(({ gradients }) => own(gradients, key)!);
    const epochs = Math.min(...curves.map(({ cosines }) => cosines.length));
    const counts = records.flatMap(({ conflicts }) => own(conflicts, key) ?? []);
    const seen = counts.filter((count) => count.seen > 0);
    return {
      title: titles[index]!,
      lengths: Array.from({ length: epochs }, (_, epoch) =>
        meanOf(curves.map((curve) => ratioAt(curve.objectives, curve.norms, epoch, baseline))),
      ),
      cosines: Array.from({ length: epochs }, (_, epoch) => {
        const quartiles = [0, 1, 2].map((k) =>
          meanOf(curves.map(({ cosines }) => cosines[epoch]![k] ?? null)),
        );
        return quartiles.every((value) => value !== null)
          ? (quartiles as unknown as [number, number, number])
          : null;
      }),
      traces: tracesOf(records, titles[index]!, baseline),
      conflicts:
        seen.length === 0 ? null : mean(seen.map((count) => count.conflicting / count.seen)),
    };
  });
}

/** The course of the covariance in the part that a group is named after. */
function tracesOf(
  records: readonly StudyRecord[],
  part: string,
  baseline: string | null,
): (number | null)[] {
  const spreads = records.flatMap(({ spread }) => own(spread ?? {}, part) ?? []);
  const epochs = Math.min(...spreads.map(({ traces }) => traces[0]!.length));
  if (spreads.length === 0) return [];
  return Array.from({ length: epochs }, (_, epoch) =>
    meanOf(spreads.map(({ objectives, traces }) => ratioAt(objectives, traces, epoch, baseline))),
  );
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : mean(known);
}

/** The joint objective's size over the others', or the smallest over the largest. */
function ratioAt(
  objectives: readonly string[],
  sizes: readonly (readonly (number | null)[])[],
  epoch: number,
  baseline: string | null,
): number | null {
  const found = objectives.map((_, k) => sizes[k]![epoch] ?? null);
  if (found.some((size) => size === null)) return null;
  const known = found as readonly number[];
  const joint = baseline === null ? -1 : objectives.indexOf(baseline);
  const [above, below] =
    joint < 0
      ? [Math.min(...known), Math.max(...known)]
      : [known[joint]!, mean(known.filter((_, k) => k !== joint))];
  return below > 0 ? above / below : null;
}

/** A ratio or a cosine with two digits; what rounds to zero has no sign. */
export function twoDigits(value: number): string {
  const text = value.toFixed(2);
  return text === '-0.00' ? '0.00' : text.replace('-', '−');
}

/** Mean of each third of a course, as far as it was seen: the beginning, the middle and the end of training. */
export function thirds(course: readonly (number | null)[]): readonly (number | null)[] {
  const { length } = course;
  return [0, 1, 2].map((third) =>
    meanOf(course.slice(Math.round((third * length) / 3), Math.round(((third + 1) * length) / 3))),
  );
}
