import { describe, expect, it } from 'vitest';
import { builtinPlugins } from '../strategies/builtin.ts';
import { bibtex, paperEntry } from './bibtex.ts';

const paper = {
  title: 'Gradients & 100% of {them}: a_b^c~d\\e #1',
  authors: ["Marc'Aurelio Désidéri", 'B. Author'],
  venue: 'ICML',
  year: 2020,
  url: 'https://arxiv.org/abs/2001.06782',
};

describe('paperEntry', () => {
  it('says what kind of publication it is, and where it is found', () => {
    const entry = paperEntry(paper, 'my-own');
    expect(entry).toMatchObject({
      type: 'inproceedings',
      key: 'desideri2020myown',
      fields: {
        author: "Marc'Aurelio Désidéri and B. Author",
        booktitle: 'International Conference on Machine Learning',
        year: '2020',
        eprint: '2001.06782',
        archiveprefix: 'arXiv',
      },
    });
    expect(paperEntry({ ...paper, venue: 'arXiv' }, 'x').type).toBe('misc');
    expect(paperEntry({ ...paper, venue: 'TMLR' }, 'x')).toMatchObject({
      type: 'article',
      fields: { journal: 'Transactions on Machine Learning Research' },
    });
    expect(paperEntry({ ...paper, venue: 'R&D Letters' }, 'x').fields).toMatchObject({
      booktitle: 'R\\&D Letters',
    });
    const { fields } = paperEntry({ ...paper, url: 'https://doi.org/10.1109/a_b' }, 'x');
    expect(fields).toMatchObject({ doi: '10.1109/a_b', url: 'https://doi.org/10.1109/a_b' });
    expect(fields).not.toHaveProperty('eprint');
  });

  it('knows the venue of every strategy that comes with the program', () => {
    for (const { name, paper: own } of builtinPlugins) {
      if (own === null || own.venue === 'arXiv') continue;
      const { booktitle, journal } = paperEntry(own, name).fields;
      expect((booktitle ?? journal)!.length, own.venue).toBeGreaterThan(own.venue.length - 1);
      expect(booktitle ?? journal, own.venue).toMatch(/Conference|Advances|Transactions/);
    }
  });
});

describe('bibtex', () => {
  it('escapes what is syntax, and keeps capitals', () => {
    const text = bibtex(paperEntry(paper, 'x'));
    expect(text).toContain(
      'title         = {{Gradients \\& 100\\% of \\{them\\}: a\\_b\\textasciicircum{}c\\textasciitilde{}d\\textbackslash{}e \\#1}},',
    );
    expect(text.startsWith('@inproceedings{desideri2020x,\n')).toBe(true);
    expect(text.endsWith(',\n}')).toBe(true);
  });
});
