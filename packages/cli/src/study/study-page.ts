import { MultigradError } from '@multigrad/core/strategy';
import { formatDuration } from '@multigrad/callbacks/terminal';
import { markdownTable } from '../results/table.ts';
import { formatCount } from '../shared/wording.ts';
import type { StudyState } from './plan.ts';
import { type SettingResults, settingResults } from './setting-results.ts';
import { overviewFigure } from './overview-figure.ts';
import { figuresOf } from './study-figures.ts';
import { ranksTable, standingsTable } from './overview-tables.ts';
import { settingMarkdown } from './study-tables.ts';
import type { Study } from './study.ts';
import { digest } from './verdicts.ts';

/** The name of the block that has all settings side by side. */
const overview = 'overview';

/** The name of the picture that has all settings side by side, without its ending. */
export function overviewName({ name }: Study): string {
  return `${name}-${overview}`;
}

/** The figures of every setting of a study. */
export function studyResults(study: Study, state: StudyState): SettingResults[] {
  return study.settings.map((setting) =>
    settingResults(
      setting,
      state.rows.filter((row) => row.setting === setting),
      study.references,
    ),
  );
}

/**
 * What a page says of each setting of a study, and of all of them, by the name of the block.
 *
 * @param pictures - how the page leads to the folder of the pictures, with a slash behind it; null for a page without
 */
export function studyBlocks(
  study: Study,
  state: StudyState,
  pictures: string | null = null,
): ReadonlyMap<string, string> {
  const all = studyResults(study, state);
  const blocks = new Map(
    all.map((results) => [results.setting.name, settingMarkdown(results, pictures)]),
  );
  const seconds = state.rows
    .flatMap(({ tried, chosen }) => [...new Set([...tried, ...chosen])])
    .reduce((sum, record) => sum + record.seconds, 0);
  const unfinished = study.settings.filter((setting) =>
    state.rows.some((row) => row.setting === setting && row.open.length + row.later > 0),
  );
  const wide = withMostRows(all);
  const few = all.filter((one) => !wide.includes(one)).map(({ setting }) => `\`${setting.name}\``);
  const ranks = ranksTable(wide);
  const drawn = pictures === null ? null : overviewFigure(wide, study.references);
  blocks.set(
    overview,
    [
      ...(ranks.rows.length === 0
        ? ['No two rows have two seeds yet.']
        : [
            markdownTable(ranks),
            'Mean rank over the compared objectives, 1 for the best, among the rows that have a result there, over the seeds that each has.' +
              (few.length === 0
                ? ''
                : ` Left out here, since ranks among few rows are no ranks among many: ${few.join(', ')}, with fewer than half of the rows.`),
            ...(drawn === null ? [] : [`![${drawn.title}](${pictures}${overviewName(study)}.svg)`]),
            markdownTable(standingsTable(wide, study.references)),
            'A setting counts as above where most of its compared scores are better, and as significant where p < .05 after correction in ' +
              'one of them. “Difference” is the mean over settings, with its 95 % interval where there are two or more; settings that are ' +
              'not measured in percent take no part in it.',
            'At p < .05 after correction within each setting:',
            all.map((results) => `- ${digest(results)}`).join('\n'),
          ]),
      `${formatCount(state.done, 'run')} of ${state.done + state.left} are recorded, ${formatDuration(seconds)} of one process.` +
        (unfinished.length === 0
          ? ''
          : ` Not all runs are there of: ${unfinished.map(({ name }) => name).join(', ')}.`),
    ].join('\n\n'),
  );
  return blocks;
}

/** The settings that have at least half as many rows as the one with the most: those whose ranks can be put beside each other. */
function withMostRows(all: readonly SettingResults[]): readonly SettingResults[] {
  const most = Math.max(...all.map(({ setting }) => setting.rows.length));
  return all.filter(({ setting }) => 2 * setting.rows.length >= most);
}

/** The texts of all pictures that the blocks of a page show, by the name of the file. */
export function studyPictures(study: Study, state: StudyState): ReadonlyMap<string, string> {
  const all = studyResults(study, state);
  const together = overviewFigure(withMostRows(all), study.references);
  return new Map([
    ...(together === null ? [] : [[`${overviewName(study)}.svg`, together.svg] as const]),
    ...all.flatMap((results) => {
      const blocks = settingMarkdown(results, '');
      return [...figuresOf(results)].flatMap(([name, { svg }]) =>
        blocks.includes(`(${name}.svg)`) ? [[`${name}.svg`, svg] as const] : [],
      );
    }),
  ]);
}

/**
 * A page with the blocks of a study brought up to date: what stands between `<!-- study NAME -->` and `<!-- /study -->`.
 *
 * @throws MultigradError `invalid-data` for a block that is not closed, or of a name that the study does not have
 */
export function fillPage(page: string, blocks: ReadonlyMap<string, string>, where: string): string {
  const open = page.match(/^<!-- study \S+ -->$/gm)?.length ?? 0;
  const whole = /^<!-- study (\S+) -->\n[\s\S]*?^<!-- \/study -->$/gm;
  if ((page.match(whole)?.length ?? 0) !== open) {
    throw new MultigradError(
      'invalid-data',
      `${where}: every \`<!-- study NAME -->\` should be followed by \`<!-- /study -->\` before the next.`,
    );
  }
  return page.replace(whole, (_, name: string) => {
    const block = blocks.get(name);
    if (block !== undefined) {
      return `<!-- study ${name} -->\n\n${block}\n\n<!-- /study -->`;
    }
    throw new MultigradError(
      'invalid-data',
      `${where}: the study has no setting \`${name}\`. There are ${[...blocks.keys()].map((one) => `\`${one}\``).join(', ')}.`,
    );
  });
}
