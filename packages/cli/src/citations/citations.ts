import type { StrategyPlugin } from '@multigrad/core/strategy';
import { type BibtexEntry, bibtex, paperEntry } from './bibtex.ts';
import { frameworkEntry } from './framework.ts';

/**
 * BibTeX of the papers that strategies come from, each once; of the framework where none is asked for.
 *
 * A strategy without a paper becomes a line of text between entries, which BibTeX ignores.
 *
 * @param withFramework - whether the framework comes first
 */
export function citations(
  plugins: readonly Pick<StrategyPlugin, 'name' | 'paper'>[],
  withFramework: boolean,
): string {
  const entries: (BibtexEntry | string)[] = withFramework ? [frameworkEntry] : [];
  const seen = new Map<string, string>();
  for (const { name, paper } of plugins) {
    if (paper === null) {
      entries.push(`% ${name}: no paper`);
      continue;
    }
    const entry = paperEntry(paper, name);
    const before = seen.get(paper.url);
    if (before === undefined) entries.push(entry);
    else entries.push(`% ${name}: ${before}`);
    seen.set(paper.url, before ?? entry.key);
  }
  return entries.map((entry) => (typeof entry === 'string' ? entry : bibtex(entry))).join('\n\n');
}
