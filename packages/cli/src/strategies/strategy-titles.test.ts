import { expect, it } from 'vitest';
import { findExperiment } from '../experiments/index.ts';
import { strategyTitles } from './strategy-titles.ts';

const titles = (specifiers: readonly string[], experiment = 'cg-mnist'): string[] => [
  ...strategyTitles(findExperiment(experiment), specifiers).values(),
];

it('calls strategies by their titles, with the options that were given', () => {
  expect(
    titles(['joint', 'only-gray', 'sum', 'mmpareto:gamma=2,rescale=tensor', 'imtl-g']),
  ).toEqual([
    'multimodal loss alone',
    'gray loss alone',
    'Sum',
    'MMPareto (gamma 2, rescale tensor)',
    'IMTL-G',
  ]);
});

it('calls strategies of others by their file or package', () => {
  expect(titles(['./mine/own-rule.ts:rate=1', 'some-package', 'C:\\own\\rule.mjs'])).toEqual([
    'own-rule (rate 1)',
    'some-package',
    'rule',
  ]);
});

it('calls them by the titles that an output folder has kept', () => {
  const kept = { './mine.js:rate=1': 'My rule' };
  expect([...strategyTitles(undefined, ['./mine.js:rate=1', 'sum'], kept).values()]).toEqual([
    'My rule (rate 1)',
    'Sum',
  ]);
});

it('keeps specifiers where titles are the same, or where they cannot be read', () => {
  expect(titles(['./a/rule.js', './b/rule.js', 'sum:', ':x=1'], 'of-tomorrow')).toEqual([
    './a/rule.js',
    './b/rule.js',
    'sum:',
    ':x=1',
  ]);
});
