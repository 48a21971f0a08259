import { mean } from '../shared/statistics.ts';
import { formatCount } from '../shared/wording.ts';
import { comparable, gainsOf, inPercent, namesIn } from './overview-tables.ts';
import { Picture } from './picture.ts';
import type { SettingResults } from './setting-results.ts';
import {
  drawAxis,
  type Figure,
  labelWidth,
  linesOf,
  paintOf,
  strategyName,
  width,
} from './study-figures.ts';
import type { StudyRow } from './study.ts';

/** A row's mean difference to the reference in one setting, in points; larger is better. */
interface Mark {
  readonly points: number;
  /** Whether a compared score of the setting is significantly better or worse. */
  readonly proven: boolean;
}

/**
 * Every row's mean difference to the last reference, a dot for each setting that is measured in percent; null where fewer than two
 * settings can be compared.
 */
export function overviewFigure(
  all: readonly SettingResults[],
  references: readonly string[],
): Figure | null {
  const reference = references.at(-1);
  const settings = comparable(all);
  const rowsOfAll = settings.flatMap(({ rows }) => rows.map(({ row }) => row));
  const rowNamed = (name: string): StudyRow => rowsOfAll.find((row) => row.name === name)!;
  if (reference === undefined) return null;
  const shown = namesIn(settings).flatMap((name) => {
    const marks = marksOf(settings, name, reference);
    return name === reference || marks.length === 0 ? [] : [{ row: rowNamed(name), marks }];
  });
  if (Math.max(0, ...shown.map(({ marks }) => marks.length)) < 2) return null;
  const lines = linesOf(shown);
  const pair = lines.find((line) => line.marks.length === 2)?.marks;

  const label = labelWidth(lines);
  const [lineHeight, head] = [pair === undefined ? 22 : 26, 26];
  const top = pair === undefined ? 26 : 48;
  const area = { left: label + 8, right: width - 12, top: top + head };
  const bottom = area.top + lines.length * lineHeight;
  const reach = 1.08 * Math.max(...shown.flatMap(({ marks }) => marks.map(({ points }) => Math.abs(points))), 0.1); // prettier-ignore
  const picture = new Picture(width);
  picture.text([4, 16], 'a dot: one setting, filled where significant; line: mean', { fill: 'quiet' }); // prettier-ignore
  if (pair !== undefined) {
    const [upper, lower] = pair.map(({ row: { row } }) => strategyName(row));
    picture.text([4, 38], `upper: beside ${upper}, lower: beside ${lower}`, { fill: 'quiet' });
  }
  const heading = `difference to ${rowNamed(reference).title}, points`;
  const at = drawAxis(picture, { ...area, bottom }, reach, heading);
  lines.forEach((line, index) => {
    const middle = area.top + (index + 0.5) * lineHeight;
    const [first] = line.marks;
    picture.text([label, middle + 4.5], line.label, {
      anchor: 'end',
      fill: paintOf(first!.row.row),
    });
    line.marks.forEach(({ row: { row, marks } }, k) => {
      const alone = line.marks.length === 1;
      const y = middle + (alone ? 0 : k === 0 ? -5.5 : 5.5);
      const stroke = paintOf(row);
      for (const { points, proven } of marks) {
        picture.dot([at(points), y], { fill: proven ? stroke : 'paper', stroke });
      }
      const centre = at(mean(marks.map(({ points }) => points)));
      const half = alone ? 9 : 5.5;
      picture.line([[centre, y - half], [centre, y + half]], { stroke, width: 3 }); // prettier-ignore
    });
  });
  const title =
    `Mean difference of each row to ${rowNamed(reference).title} on the test set, setting by setting: ` +
    shown
      .map(({ row, marks }) => {
        const better = marks.filter(({ points }) => points > 0).length;
        return `${row.title} better in ${better} of ${formatCount(marks.length, 'setting')}`;
      })
      .join('; ');
  return { title, svg: picture.svg(bottom + 26, title) };
}

function marksOf(settings: readonly SettingResults[], name: string, reference: string): Mark[] {
  return inPercent(gainsOf(settings, name, reference)).map((one) => ({
    points: 100 * one.mean,
    proven: one.proven,
  }));
}
