import { MultigradError } from '@multigrad/core/strategy';
import { markdownTable } from '../results/table.ts';
import { formatCount } from '../shared/wording.ts';
import type { StudyState } from './plan.ts';
import { settingResults } from './setting-results.ts';
import { overviewTable, settingMarkdown } from './study-tables.ts';
import type { Study } from './study.ts';

/** The name of the block that has all settings side by side. */
const overview = 'overview';

/** What a page says of each setting of a study, and of all of them, by the name of the block. */
export function studyBlocks(study: Study, state: StudyState): ReadonlyMap<string, string> {
  const all = study.settings.map((setting) =>
    settingResults(
      setting,
      state.rows.filter((row) => row.setting === setting),
      study.references,
    ),
  );
  const blocks = new Map(all.map((results) => [results.setting.name, settingMarkdown(results)]));
  const hours = state.rows
    .flatMap(({ tried, chosen }) => [...new Set([...tried, ...chosen])])
    .reduce((sum, { seconds }) => sum + seconds / 3600, 0);
  const table = overviewTable(all, study.references[0]!);
  blocks.set(
    overview,
    [
      ...(table.rows.length === 0 ? ['No row has two seeds yet.'] : [markdownTable(table)]),
      `${formatCount(state.done, 'run')} of ${state.done + state.left} are recorded, ${hours.toFixed(1)} hours of one process.`,
    ].join('\n\n'),
  );
  return blocks;
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
