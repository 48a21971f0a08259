import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunRecord } from '../runs/records.ts';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { lateGain } from './flatness.ts';
import { openRuns, studyState, timeLeft } from './plan.ts';
import { settingResults } from './setting-results.ts';
import { fillPage, studyBlocks, studyPictures } from './study-page.ts';
import { recordDifferences, recordPath, studyRecord, type StudyRun } from './study-record.ts';
import { openStudy, type Study } from './study.ts';

const protocol = {
  ...{ format: 1, name: 'example', records: 'records', seeds: 3, rates: [0.01, 0.03] },
  references: ['sum', 'fair'],
  rows: {
    sum: { strategy: 'sum', title: 'Sum' },
    fair: { strategy: 'scaled-sum:factor=1.5', title: 'Fair' },
    mgda: { strategy: 'mgda', title: 'MGDA', rateFactor: 2 },
  },
  settings: { digits: { experiment: 'cg-mnist', options: { epochs: 10 } } },
};
const all = { only: null, rows: null, paths: {}, backend: 'auto' };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-study-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function open(given: object = protocol): Promise<Study> {
  writeFileSync(join(folder, 'study.json'), JSON.stringify(given));
  return openStudy('study.json', all, folder);
}

/** How a made-up run ends: its score on test and validation data after the last epoch. */
type Ending = number | 'failed';

/** A run that rises to a score. */
function madeUp(run: StudyRun, score: Ending): RunRecord {
  const { runs } = recordedComparison({ strategies: ['sum'], seeds: [run.seed], epochs: 10 });
  const [record] = runs as [RunRecord];
  const epochs = record.epochs.map((epoch) => {
    const accuracy = score === 'failed' ? 0.1 : score * (1 - Math.exp(-epoch.epoch));
    const scores = Object.fromEntries(
      Object.keys(epoch.test).map((name) => [name, { loss: 1, accuracy }]),
    );
    return { ...epoch, test: scores, validation: scores };
  });
  const failure = {
    status: 'failed' as const,
    error: { code: 'non-finite', message: 'Loss of `gray` is NaN.' },
  };
  return {
    ...record,
    epochs,
    result: { ...record.result!, ...(score === 'failed' ? failure : {}) },
  };
}

function write(study: Study, run: StudyRun, score: Ending): void {
  const path = recordPath(study.records, run);
  mkdirSync(dirname(path), { recursive: true });
  const record = studyRecord(study.name, run, madeUp(run, score), { threads: 1, memory: 100 });
  writeFileSync(path, JSON.stringify(record));
}

/** Makes all runs of a study up, sitting after sitting as a real one would. */
async function runAll(study: Study, score: (run: StudyRun) => Ending): Promise<string[]> {
  const made: string[] = [];
  for (;;) {
    const [next] = openRuns(await studyState(study, nodeFiles));
    if (next === undefined) return made;
    write(study, next, score(next));
    made.push(`${next.row.name} ${next.lr} ${next.seed}`);
  }
}

describe('the order of runs', () => {
  it('tries every rate of every row, then goes through seeds at the rates that validate best', async () => {
    const study = await open();
    const best: Readonly<Record<string, number>> = { sum: 0.03, fair: 0.01, mgda: 0.06 };
    const made = await runAll(study, ({ row, lr, seed }) =>
      lr === new Map(Object.entries(best)).get(row.name) ? 0.9 - seed / 100 : 0.5,
    );
    expect(made).toEqual([
      ...['sum 0.01 0', 'sum 0.03 0', 'fair 0.01 0', 'fair 0.03 0', 'mgda 0.02 0', 'mgda 0.06 0'],
      ...['sum 0.03 1', 'fair 0.01 1', 'mgda 0.06 1', 'sum 0.03 2', 'fair 0.01 2', 'mgda 0.06 2'],
    ]);
    const state = await studyState(study, nodeFiles);
    expect(state).toMatchObject({ done: 12, left: 0, changed: [] });
    expect(state.rows.map(({ rate }) => rate)).toEqual([0.03, 0.01, 0.06]);
    expect(timeLeft(state)).toEqual({ seconds: 0, unknown: 0 });
  });

  it('passes over rates at which a run fails, and gives up a row that fails at all of them', async () => {
    const study = await open();
    const made = await runAll(study, ({ row, lr }) =>
      row.name === 'mgda' || lr === 0.03 ? 'failed' : 0.8,
    );
    expect(made.filter((name) => name.startsWith('mgda'))).toHaveLength(2);
    const { rows, left } = await studyState(study, nodeFiles);
    expect(left).toBe(0);
    expect(rows.map(({ rate, hopeless }) => [rate, hopeless])).toEqual([
      [0.01, false],
      [0.01, false],
      [null, true],
    ]);
    const block = studyBlocks(study, await studyState(study, nodeFiles)).get('digits')!;
    expect(block).toContain('MGDA: no run finished at any of its rates.');
  });

  it('is estimated from the medians of a row, else of its setting', async () => {
    const study = await open();
    const before = await studyState(study, nodeFiles);
    expect(timeLeft(before)).toEqual({ seconds: 0, unknown: 12 });
    write(study, openRuns(before)[0]!, 0.5);
    // Made-up runs take 48 s.
    expect(timeLeft(await studyState(study, nodeFiles))).toEqual({ seconds: 11 * 48, unknown: 0 });
  });
});

describe('a changed protocol', () => {
  it('is told by what differs, and its runs are open again', async () => {
    await runAll(await open(), () => 0.5);
    const options = { ...protocol.settings.digits.options, epochs: 12, width: 8 };
    const study = await open({
      ...protocol,
      settings: { digits: { experiment: 'cg-mnist', options } },
    });
    const { changed, left } = await studyState(study, nodeFiles);
    expect(left).toBe(12);
    expect(changed[0]!.differences).toEqual(['epochs: 10 there, 12 now', 'width: 16 there, 8 now']);
  });

  it('is none where an option came later and has its default, or where no figure depends on it', async () => {
    const study = await open();
    const [run] = openRuns(await studyState(study, nodeFiles)) as [StudyRun];
    const record = studyRecord('example', run, madeUp(run, 0.5), { threads: null, memory: 1 });
    const { schedule, ...older } = record.settings;
    expect(schedule).toBe('constant');
    expect(recordDifferences({ ...record, settings: older, digest: 'older' }, run)).toEqual([]);
    const setting = {
      ...run.setting,
      settings: { ...run.setting.settings, backend: 'cpu', checkpoint: 7 },
    };
    expect(recordDifferences(record, { ...run, setting })).toEqual([]);
    const cosine = { ...run.setting, settings: { ...run.setting.settings, schedule: 'cosine' } };
    expect(
      recordDifferences(
        { ...record, settings: older, digest: 'older' },
        { ...run, setting: cosine },
      ),
    ).toEqual(['schedule: constant there, cosine now']);
  });

  it('does not hide a damaged record', async () => {
    const study = await open();
    const [run] = openRuns(await studyState(study, nodeFiles)) as [StudyRun];
    write(study, run, 0.5);
    const path = recordPath(study.records, run);
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 200));
    await expect(studyState(study, nodeFiles)).rejects.toThrow('is not JSON');
    writeFileSync(path, '{"format":1}');
    await expect(studyState(study, nodeFiles)).rejects.toThrow('should hold `study`, a text');
  });
});

describe('lateGain', () => {
  it('is the mean of the last tenth minus that of the tenth before the last fifth', () => {
    const scores = Array.from({ length: 20 }, (_, epoch) => epoch);
    expect(lateGain(scores)).toBe(4);
    expect(lateGain([0, 0, 0, 0.5, 0.75])).toBe(0.25);
    expect(lateGain([...Array.from({ length: 16 }, () => 0.5), 0.9, 0.1, 0.5, 0.5])).toBe(0);
  });

  it('is not told of curves too short, or with gaps', () => {
    expect(lateGain([0, 1, 2, 3])).toBeNull();
    expect(lateGain([0, 1, Number.NaN, 3, 4])).toBeNull();
  });
});

describe('tables', () => {
  it('have means, spreads and paired differences to each reference, with intervals and Holm’s p', async () => {
    const study = await open();
    // Differences to the sum of .02, .03 and .04.
    await runAll(study, ({ row, lr, seed }) =>
      lr > 0.02 ? 0.2 : 0.5 + seed / 10 + (row.name === 'fair' ? 0.02 + seed / 100 : 0),
    );
    const state = await studyState(study, nodeFiles);
    const results = settingResults(study.settings[0]!, state.rows, study.references);
    const [, fair] = results.rows;
    const test = fair!.differences['sum']!['multimodal']!;
    const final = 1 - Math.exp(-10);
    expect(test.mean).toBeCloseTo(0.03 * final, 6);
    // Student's t with two degrees of freedom: 4.302653; the standard error is .01/√3.
    const reach = (4.302653 * 0.01 * final) / Math.sqrt(3);
    expect(test.interval![0]).toBeCloseTo(0.03 * final - reach, 5);
    // t = 3√3; p = 1 − t/√(t² + 2). Two comparisons.
    const t = 3 * Math.sqrt(3);
    expect(test.p).toBeCloseTo(1 - t / Math.sqrt(t * t + 2), 6);
    expect(results.compared).toEqual(['multimodal']);
    expect(fair!.edge).toBe('smallest');
    expect(fair!.meanRank).toBe(1);

    const block = studyBlocks(study, state).get('digits')!;
    expect(block).toContain('| Fair | 63.00 ± 11.00 |');
    expect(block).toContain('+3.00 [+0.52, +5.48]');
    expect(block).toContain('Curves were flat');
    expect(block).toContain('a better one may lie beyond: every row.');
    expect(studyBlocks(study, state).get('overview')).toContain('1 of 1');
    // Of two comparisons with the sum the smaller p is doubled.
    expect(2 * test.p!).toBeGreaterThan(0.05);
    expect(block).toContain(
      '- Beside Sum, at p < .05 after correction for 2 comparisons: better: none; worse: none. The other 2 cannot be told from ' +
        'it by these seeds; on average 1 of them is better (Fair (+3.00)).',
    );
    expect(block).not.toContain('may change');
    expect(block).not.toContain('![');
  });

  it('say plainly what is better, and what so far has too few seeds', async () => {
    const study = await open();
    await runAll(study, ({ row, lr, seed }) =>
      lr > 0.02 ? 0.2 : 0.5 + seed / 10 + (row.name === 'fair' ? 0.2 + seed / 1e4 : 0),
    );
    const block = studyBlocks(study, await studyState(study, nodeFiles)).get('digits')!;
    expect(block).toContain('2 comparisons: better: Fair (+20.01); worse: none. The other 1');
    expect(block).toContain(
      'Beside Fair, at p < .05 after correction for 2 comparisons: better: none; worse: Sum',
    );
    // The second seed of MGDA is missing, and the third of all.
    for (const [row, seed] of [
      ['mgda', 1],
      ['mgda', 2],
      ['sum', 2],
      ['fair', 2],
    ] as const) {
      const lr = row === 'mgda' ? 0.02 : 0.01;
      rmSync(join(folder, `records/digits/${row}-lr${lr}-seed${seed}.json`));
    }
    const partial = studyBlocks(study, await studyState(study, nodeFiles)).get('digits')!;
    expect(partial).toContain(
      '1 row cannot be compared with it yet. Some of these comparisons have 2 of 3 seeds, and may change.',
    );
    expect(partial).toContain('Runs of some seeds are still missing: every row.');
  });

  it('have the scores of another program beside those of the same runs', async () => {
    const peer = { title: 'Peer', records: 'peers' };
    const study = await open({
      ...protocol,
      settings: { digits: { ...protocol.settings.digits, peer } },
    });
    await runAll(study, ({ lr, seed }) => (lr > 0.02 ? 0.2 : 0.5 + seed / 10));
    const blockNow = async (): Promise<string> =>
      studyBlocks(study, await studyState(study, nodeFiles)).get('digits')!;
    expect(await blockNow()).not.toContain('Peer');
    mkdirSync(join(folder, 'peers'));
    const leave = (file: string, row: string, lr: number, seed: number, accuracy: number): void =>
      writeFileSync(
        join(folder, 'peers', file),
        JSON.stringify({
          ...{ row, lr, seed },
          curves: { test: { multimodal: { accuracy: [0, accuracy] } } },
        }),
      );
    const final = 1 - Math.exp(-10);
    // Differences of .02, .03 and .04 to the sum; no run has the other rate or the seed 7.
    for (const seed of [0, 1, 2]) {
      leave(`sum-${seed}.json`, 'sum', 0.01, seed, (0.5 + seed / 10) * final - 0.02 - seed / 100);
    }
    leave('other-rate.json', 'sum', 0.03, 0, 0.9);
    leave('other-seed.json', 'sum', 0.01, 7, 0.9);
    leave('fair-0.json', 'fair', 0.01, 0, 0.5 * final);
    const block = await blockNow();
    expect(block).toContain(
      '| row | objective (after the last epoch) | here | Peer | difference | seeds |',
    );
    expect(block).toContain(
      '| Sum | multimodal (test %) | 60.00 ± 10.00 | 57.00 ± 9.00 | +3.00 [+0.52, +5.48] | 0, 1, 2 |',
    );
    expect(block).toMatch(
      /\| Fair \| multimodal \(test %\) \| 50\.00 \| 50\.00 \| [+−]?0\.00 \| 0 \|/,
    );
    expect(block).toContain(
      'Of 1 difference seed by seed, 0 have zero within their 95 % interval.',
    );
    leave('twice.json', 'sum', 0.01, 0, 0.5);
    await expect(blockNow()).rejects.toThrow(
      'twice.json: there should be one record of row `sum` at rate 0.01 with seed 0.',
    );
    writeFileSync(join(folder, 'peers/twice.json'), '{"row":"sum","lr":0.01,"seed":0}');
    await expect(blockNow()).rejects.toThrow('should hold `curves`, an object');
  });

  it('name balancing methods that changed nothing', async () => {
    const study = await open({
      ...protocol,
      rows: {
        ...protocol.rows,
        late: { strategy: 'sum', balance: 'g2d', title: 'Late' },
        early: { strategy: 'sum', balance: 'ogm-ge', title: 'Early' },
      },
    });
    // At the larger rate, which is not chosen, it changes something.
    await runAll(study, ({ row, lr, seed }) =>
      lr > 0.02
        ? 0.2 + (row.name === 'late' ? 0.1 : 0)
        : (row.name === 'early' ? 0.6 : 0.5) + seed / 100,
    );
    const block = studyBlocks(study, await studyState(study, nodeFiles)).get('digits')!;
    expect(block).toContain('beside the same strategy at that rate without it: Late.');
  });

  it('show many tasks by their mean, and none of one metric beside another', async () => {
    const state = await studyState(await open(), nodeFiles);
    const [first] = state.rows as [(typeof state.rows)[number]];
    const names = ['a', 'b', 'c', 'd'];
    const experiment = {
      ...first.setting.experiment,
      ...{ objectives: names, baseline: null },
      metrics: {
        accuracy: { ...first.setting.experiment.metrics['accuracy']!, objectives: names },
      },
    };
    const setting = { ...first.setting, experiment };
    const { measures, followed } = settingResults(setting, [{ ...first, setting }], ['sum']);
    expect(measures.map(({ title }) => title)).toEqual(['mean of 4 tasks']);
    expect(followed).toEqual(names);
  });

  it('have pictures of differences and of gradients, which the page shows', async () => {
    const study = await open();
    await runAll(study, ({ row, lr, seed }) =>
      lr > 0.02 ? 0.2 : 0.5 + seed / 10 + (row.name === 'fair' ? 0.02 + seed / 100 : 0),
    );
    const state = await studyState(study, nodeFiles);
    const block = studyBlocks(study, state, 'pictures/').get('digits')!;
    const pictures = studyPictures(study, state);
    expect([...pictures.keys()]).toEqual(['digits-differences.svg', 'digits-gradients.svg']);
    for (const [name, svg] of pictures) {
      expect(block).toContain(`](pictures/${name})`);
      expect(svg).toContain('prefers-color-scheme:dark');
      expect(svg).toMatch(/^<svg [^>]*width="420" height="\d+" viewBox="0 0 420 \d+"/);
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
    const [differences] = pictures.values();
    expect(differences).toContain('multimodal − Fair, points');
    for (const title of ['>Sum<', '>MGDA<']) expect(differences).toContain(title);
    expect(differences).not.toContain('>Fair<');
  });

  it('have a picture of all settings where two can be compared', async () => {
    const { digits } = protocol.settings;
    const few = { ...digits, rows: ['fair'] };
    const study = await open({ ...protocol, settings: { digits, more: digits, few } });
    await runAll(study, ({ setting, row, lr, seed }) => {
      const gain = row.name === 'mgda' ? (setting.name === 'more' ? -0.05 : 0.1) : 0;
      return lr > 0.02 ? 0.2 : 0.5 + seed / 10 + gain + (gain * seed) / 100;
    });
    const state = await studyState(study, nodeFiles);
    const block = studyBlocks(study, state, 'pictures/').get('overview')!;
    expect(block).toContain(
      '![Mean difference of each row to Fair on the test set, setting by setting: Sum better in 0 of 2 settings; ' +
        'MGDA better in 1 of 2 settings](pictures/example-overview.svg)',
    );
    expect(block).toContain(
      'Left out here, since ranks among few rows are no ranks among many: `few`',
    );
    expect(block).not.toContain('few (rank)');
    const svg = studyPictures(study, state).get('example-overview.svg')!;
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg.match(/<circle/g)).toHaveLength(4);
    // Both differences of MGDA are significant, none of the sum's is.
    expect(svg.match(/fill:var\(--f-d\)/g)).toHaveLength(2);
    expect(studyBlocks(study, state).get('overview')).not.toContain('![');
    rmSync(join(folder, 'records/more'), { recursive: true });
    const one = await studyState(study, nodeFiles);
    expect(studyPictures(study, one).has('example-overview.svg')).toBe(false);
  });

  it('say which curves were not flat and which seeds are missing', async () => {
    const study = await open();
    const state = await studyState(study, nodeFiles);
    expect(studyBlocks(study, state).get('digits')).toContain('No row has a chosen rate yet.');
    for (const run of openRuns(state).slice(0, 4)) write(study, run, run.lr > 0.02 ? 0.1 : 0.5);
    const path = recordPath(study.records, openRuns(state)[0]!);
    const record = JSON.parse(readFileSync(path, 'utf8')) as {
      curves: { validation: Record<string, Record<string, number[]>> };
    };
    record.curves.validation['multimodal']!['accuracy'] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(
      (epoch) => epoch / 20,
    );
    writeFileSync(path, JSON.stringify(record));
    const block = studyBlocks(study, await studyState(study, nodeFiles)).get('digits')!;
    expect(block).toContain('Not flat at the end (.3 points or more over the last fifth): Sum.');
    expect(block).toContain('Runs of some seeds are still missing: every row.');
  });

  it('are put into a page between comments, again and again', () => {
    const page =
      '# A\n\n<!-- study a -->\n<!-- /study -->\ntext\n<!-- study b -->\nold\n<!-- /study -->\n';
    const blocks = new Map([
      ['a', 'first'],
      ['b', 'costs $1'],
    ]);
    const once = fillPage(page, blocks, 'page.md');
    expect(once).toContain('<!-- study a -->\n\nfirst\n\n<!-- /study -->\ntext\n');
    expect(once).toContain('costs $1');
    expect(fillPage(once, blocks, 'page.md')).toBe(once);
    expect(() => fillPage(page, new Map([['a', 'first']]), 'page.md')).toThrow(
      'no setting `b`. There are `a`.',
    );
    expect(() => fillPage('<!-- study a -->\n', blocks, 'page.md')).toThrow(
      'should be followed by',
    );
  });
});
