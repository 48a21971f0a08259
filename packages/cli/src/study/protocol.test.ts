import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { describe, expect, it } from 'vitest';
import { studyState } from './plan.ts';
import { checkProtocol } from './protocol.ts';
import { openStudy } from './study.ts';

const docs = join(import.meta.dirname, '../../../../docs');
const all = { only: null, rows: null, paths: {}, backend: 'auto' };

const sound = {
  format: 1,
  name: 'example',
  records: 'records',
  seeds: 2,
  rates: [0.01, 0.03],
  references: ['sum'],
  rows: { sum: { strategy: 'sum' }, mmpareto: { strategy: 'mmpareto', rateFactor: 2 } },
  settings: { digits: { experiment: 'cg-mnist', options: { epochs: 2 } } },
};

describe('a protocol', () => {
  it('is taken where it is sound', () => {
    expect(checkProtocol(sound, 'p.json')).toBe(sound);
  });

  it.each([
    [{ ...sound, setings: {} }, '`p.json` has no option `setings`. Did you mean `settings`?'],
    [
      { ...sound, rows: { sum: { strategi: 'sum' } } },
      '`p.json: rows.sum` has no option `strategi`. Did you mean `strategy`?',
    ],
    [
      { ...sound, settings: { digits: { experiment: 'cg-mnist', option: {} } } },
      'Did you mean `options`?',
    ],
    [
      { ...sound, references: ['summ'] },
      'p.json: references: there is no row `summ`. Did you mean `sum`?',
    ],
    [
      { ...sound, settings: { digits: { experiment: 'cg-mnist', rows: ['mmparetto'] } } },
      'p.json: settings.digits.rows: there is no row `mmparetto`. Did you mean `mmpareto`?',
    ],
    [{ ...sound, rates: [0] }, '`rates[0]`, a number > 0. Found 0'],
    [{ ...sound, rates: [0.1, 0.1] }, 'none of them twice'],
    [{ ...sound, rates: [] }, 'at least one'],
    [{ ...sound, seeds: 0.5 }, '`seeds`, an integer >= 1. Found 0.5'],
    [{ ...sound, format: 2 }, '`format`, 1, the format that this version reads'],
    [{ ...sound, rows: { '../sum': { strategy: 'sum' } } }, 'named in kebab case'],
    [{ ...sound, settings: {} }, 'at least one'],
    [
      {
        ...sound,
        settings: { digits: { experiment: 'cg-mnist', peer: { titel: 'T', records: 'r' } } },
      },
      '`p.json: settings.digits.peer` has no option `titel`. Did you mean `title`?',
    ],
    [
      { ...sound, settings: { digits: { experiment: 'cg-mnist', peer: { title: 'T' } } } },
      '`settings.digits.peer.records`, a text',
    ],
    [
      { ...sound, settings: { digits: { experiment: 'cg-mnist', options: { epochs: [] } } } },
      'a number, a text, true or false',
    ],
    [[], 'p.json should be an object'],
    [null, 'p.json should be an object'],
  ])('is refused with the place and what was expected, case %#', (given, message) => {
    expect(() => checkProtocol(given, 'p.json')).toThrow(message);
  });
});

describe('protocols that come along', () => {
  it('that of docs/studies.md is sound', () => {
    const page = readFileSync(join(docs, 'studies.md'), 'utf8');
    const [, text] = /^```json\n([\s\S]*?)^```/m.exec(page)!;
    expect(Object.keys(checkProtocol(JSON.parse(text!), 'studies.md').rows)).toHaveLength(4);
  });

  it('that of docs/results.md names experiments, options and strategies that are there', async () => {
    const study = await openStudy('results-protocol.json', all, join(docs, 'experiments'));
    expect(study.settings.length).toBeGreaterThan(1);
    for (const { rows, seeds } of study.settings) {
      expect(rows.length).toBeGreaterThan(1);
      expect(seeds).toHaveLength(5);
    }
  });

  it.each(['results-protocol.json', 'balancing-protocol.json'])(
    'the records of %s were measured as it now says',
    async (name) => {
      const study = await openStudy(name, all, join(docs, 'experiments'));
      const { changed, done } = await studyState(study, nodeFiles);
      expect(changed).toEqual([]);
      expect(done).toBeGreaterThan(0);
    },
  );
});
