import { own } from '@multigrad/core/strategy';
import type { Paper } from '@multigrad/core/strategy';

/** A BibTeX entry in parts. */
export interface BibtexEntry {
  readonly type: 'article' | 'inproceedings' | 'misc';
  readonly key: string;
  readonly fields: Readonly<Record<string, string>>;
}

const proceedings: Readonly<Record<string, string>> = {
  ACPR: 'Asian Conference on Pattern Recognition',
  CVPR: 'IEEE/CVF Conference on Computer Vision and Pattern Recognition',
  'CVPR Workshops': 'IEEE/CVF Conference on Computer Vision and Pattern Recognition Workshops',
  'Findings of ACL': 'Findings of the Association for Computational Linguistics: ACL',
  ICCV: 'IEEE/CVF International Conference on Computer Vision',
  ICDM: 'IEEE International Conference on Data Mining',
  ICLR: 'International Conference on Learning Representations',
  ICML: 'International Conference on Machine Learning',
  NeurIPS: 'Advances in Neural Information Processing Systems',
};
const journals: Readonly<Record<string, string>> = {
  TMLR: 'Transactions on Machine Learning Research',
  'IEEE Transactions on Evolutionary Computation': 'IEEE Transactions on Evolutionary Computation',
};

const special: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
};

/** A text with the characters escaped that TeX takes for commands. */
function escapeText(text: string): string {
  return text.replace(/[\\~^&%$#_{}]/g, (character) => own(special, character) ?? `\\${character}`);
}

function keyOf({ authors, year }: Paper, strategy: string): string {
  const family = authors[0]!.split(' ').at(-1)!;
  const plain = family.normalize('NFD').replace(/[^A-Za-z]/g, '');
  return `${plain.toLowerCase()}${year}${strategy.replaceAll('-', '')}`;
}

function place(venue: string): Pick<BibtexEntry, 'type' | 'fields'> {
  if (venue === 'arXiv') return { type: 'misc', fields: {} };
  const journal = own(journals, venue);
  if (journal !== undefined) return { type: 'article', fields: { journal: escapeText(journal) } };
  // The venue of somebody else's strategy may be anything: most often it is a conference.
  const booktitle = escapeText(own(proceedings, venue) ?? venue);
  return { type: 'inproceedings', fields: { booktitle } };
}

/** The fields for an address: of arXiv, a DOI, or a plain URL. */
function address(url: string): Record<string, string> {
  const [, eprint] = /^https:\/\/arxiv\.org\/abs\/(\d{4}\.\d{4,5})$/.exec(url) ?? [];
  if (eprint !== undefined) return { eprint, archiveprefix: 'arXiv', url };
  const [, doi] = /^https:\/\/doi\.org\/(.+)$/.exec(url) ?? [];
  return doi === undefined ? { url } : { doi, url };
}

/** The entry of a strategy's paper. */
export function paperEntry(paper: Paper, strategy: string): BibtexEntry {
  const { type, fields } = place(paper.venue);
  return {
    type,
    key: keyOf(paper, strategy),
    fields: {
      // A second pair of braces keeps capitals in names such as MMPareto.
      title: `{${escapeText(paper.title)}}`,
      author: paper.authors.map(escapeText).join(' and '),
      ...fields,
      year: String(paper.year),
      ...address(paper.url),
    },
  };
}

/** The entry as BibTeX reads it. */
export function bibtex({ type, key, fields }: BibtexEntry): string {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  const lines = Object.entries(fields).map(
    ([name, value]) => `  ${name.padEnd(width)} = {${value}},`,
  );
  return [`@${type}{${key},`, ...lines, '}'].join('\n');
}
