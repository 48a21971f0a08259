import { describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { resultsCsv } from './csv.ts';
import { summarize } from './summary.ts';
import {
  formatDifference,
  formatEstimate,
  groupTitles,
  markdownTable,
  resultsCaption,
  resultsTable,
  runsTable,
  textTable,
} from './table.ts';

const table = {
  columns: [
    { title: 'strategy', detail: '' },
    { title: 'gray', detail: 'test %' },
  ],
  rows: [
    ['sum', '64.1 ± 2.0'],
    ['a|b<c', '7.0'],
  ],
};

describe('formatEstimate', () => {
  it('shows a spread only where there is one', () => {
    expect(formatEstimate({ mean: 0.641, sd: 0.02, n: 2 }, 100, 1)).toBe('64.1 ± 2.0');
    expect(formatEstimate({ mean: 0.641, sd: null, n: 1 }, 100, 1)).toBe('64.1');
    expect(formatEstimate(null, 100, 1)).toBe('–');
  });

  it('gives no sign to what rounds to zero', () => {
    expect(formatEstimate({ mean: -0.0004, sd: 0.01, n: 2 }, 100, 1)).toBe('0.0 ± 1.0');
    expect(formatEstimate({ mean: -0.4, sd: null, n: 1 }, 1, 0)).toBe('0');
    const difference = (mean: number): string =>
      formatDifference({ mean, interval: null }, { scale: 100, digits: 1 });
    expect([-0.0004, 0.0004, 0].map(difference)).toEqual(['0.0', '0.0', '0.0']);
    expect([-0.0006, 0.0006, 0.102].map(difference)).toEqual(['−0.1', '+0.1', '+10.2']);
    expect(
      formatDifference({ mean: 0.012, interval: [-0.0003, 0.0273] }, { scale: 100, digits: 1 }),
    ).toBe('+1.2 [0.0, +2.7]');
  });
});

describe('groupTitles', () => {
  it('shortens keys to their parts where these tell them apart', () => {
    expect(groupTitles(['gray/multimodal+gray', 'color/multimodal+color'])).toEqual([
      'gray',
      'color',
    ]);
    expect(groupTitles(['gray/conv1', 'gray/conv2'])).toEqual(['gray/conv1', 'gray/conv2']);
    expect(groupTitles(['shared'])).toEqual(['shared']);
    expect(groupTitles(['/a', 'b'])).toEqual(['/a', 'b']);
  });
});

describe('textTable', () => {
  it('aligns names to the left and numbers to the right', () => {
    expect(textTable(table)).toBe(
      [
        'strategy        gray',
        '              test %',
        '--------------------',
        'sum       64.1 ± 2.0',
        'a|b<c            7.0',
      ].join('\n'),
    );
  });
});

describe('textTable with a long name', () => {
  it('gives the name a line of its own', () => {
    const rows = [
      ['mmpareto:gamma=2,rescale=tensor', '1.0'],
      ['sum', '2.0'],
    ];
    expect(
      textTable({ ...table, rows })
        .split('\n')
        .slice(3),
    ).toEqual(['mmpareto:gamma=2,rescale=tensor', '             1.0', 'sum          2.0']);
  });
});

describe('tables with standings', () => {
  const standings = [
    [null, 'best'],
    [null, 'close'],
    [null, 'behind'],
  ] as const;
  const marked = { ...table, rows: [...table.rows, ['mgda', '2.0']], standings };

  it('mark the best and what is not distinguishable from it, and keep numbers aligned', () => {
    expect(textTable(marked).split('\n').slice(3)).toEqual([
      'sum       64.1 ± 2.0 *',
      'a|b<c            7.0 ≈',
      'mgda             2.0',
    ]);
    expect(markdownTable(marked)).toContain('| sum | 64.1 ± 2.0 * |\n');
    expect(markdownTable(marked)).toContain('| mgda | 2.0 |');
  });
});

describe('markdownTable', () => {
  it('escapes what would break a table or become HTML', () => {
    expect(markdownTable(table)).toBe(
      [
        '| strategy | gray (test %) |',
        '| --- | ---: |',
        '| sum | 64.1 ± 2.0 |',
        '| a\\|b&lt;c | 7.0 |',
      ].join('\n'),
    );
  });
});

describe('resultsTable', () => {
  it('has a column for each head and each shared group', () => {
    const { config, runs } = recordedComparison();
    const { columns, rows } = resultsTable(summarize(config, runs));
    expect(columns.map(({ title, detail }) => `${title} ${detail}`.trim())).toEqual([
      'strategy',
      'multimodal test %',
      'gray test %',
      'color test %',
      'step ms',
      'gray conflict %',
      'color conflict %',
      'steps per run',
      'n seeds',
    ]);
    expect(rows).toHaveLength(5);
    for (const row of rows) expect(row).toHaveLength(columns.length);
  });

  it('marks strategies without a finished run', () => {
    const { config, runs } = recordedComparison({
      strategies: ['sum'],
      seeds: [0],
      cutShort: () => ({ epochs: 1, status: 'stopped' }),
    });
    expect(resultsTable(summarize(config, runs)).rows[0]![0]).toBe('Sum †');
  });
});

describe('runsTable', () => {
  it('lists every run, also one whose program was killed', () => {
    const { config, runs } = recordedComparison({ strategies: ['sum'], seeds: [0, 1] });
    const killed = [runs[0]!, { ...runs[1]!, result: null }];
    const { rows } = runsTable(summarize(config, killed), killed);
    expect(rows.map((row) => row.at(-1))).toEqual(['finished', 'cut off']);
  });
});

describe('resultsCaption', () => {
  it('says seeds and n', () => {
    const two = recordedComparison({ seeds: [0, 1] });
    expect(resultsCaption(summarize(two.config, two.runs))).toContain(
      'mean ± standard deviation over 2 seeds (0, 1)',
    );
    const one = recordedComparison({ seeds: [3] });
    expect(resultsCaption(summarize(one.config, one.runs))).toContain(
      'one seed (3), so no spread is known and nothing can be said about differences',
    );
  });
});

describe('resultsCsv', () => {
  it('quotes by RFC 4180 and leaves unknown cells empty', () => {
    const { config, runs } = recordedComparison({
      strategies: ['mmpareto:gamma=2,rescale="x"'],
      seeds: [0],
      epochs: 1,
    });
    const [heading, line, end] = resultsCsv(summarize(config, runs)).split('\r\n');
    expect(heading!.split(',').slice(0, 6)).toEqual([
      'strategy',
      'title',
      'seeds',
      'finished',
      'multimodal_test_accuracy_mean',
      'multimodal_test_accuracy_sd',
    ]);
    expect(line).toMatch(
      /^"mmpareto:gamma=2,rescale=""x""","MMPareto \(gamma 2, rescale ""x""\)",0,yes,0\.307\d+,,0\.1,,/,
    );
    expect(end).toBe('');
  });
});
