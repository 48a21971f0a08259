import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Environment } from '../shared/environment.ts';
import { studyState } from './plan.ts';
import { runStudy } from './run-study.ts';
import { studyBlocks } from './study-page.ts';
import type { StudyRecord } from './study-record.ts';
import { openStudy, type Study } from './study.ts';

const protocol = {
  ...{ format: 1, name: 'tiny', records: 'records', seeds: 1, rates: [0.03] },
  references: ['sum'],
  rows: { sum: { strategy: 'sum' }, mmpareto: { strategy: 'mmpareto' } },
  settings: {
    birds: { experiment: 'penguins', inspect: 2, options: { epochs: 2, width: 4, observe: 1 } },
  },
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-study-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

async function open(given: object = protocol): Promise<Study> {
  writeFileSync(join(folder, 'study.json'), JSON.stringify(given));
  const request = { only: null, rows: null, paths: {}, backend: 'wasm' };
  return openStudy('study.json', request, folder);
}

async function sit(
  study: Study,
  maxMinutes: number | null,
  print: (line: string) => void = () => undefined,
): Promise<void> {
  const environment: Environment = {
    ...{ terminal: null, print, complain: print, folder, signal: new AbortController().signal },
  };
  const sitting = { backend: 'wasm', threads: 1, maxMinutes, workers: 1 };
  const { failures } = await runStudy(study, sitting, environment);
  expect(failures).toEqual([]);
}

const made = (): string[] => readdirSync(join(folder, 'records/birds')).sort();
const record = (name: string): StudyRecord =>
  JSON.parse(readFileSync(join(folder, 'records/birds', name), 'utf8')) as StudyRecord;

describe('a sitting', () => {
  it('begins no run once its minutes are over, and ends the one under way', async () => {
    const study = await open();
    const real = Date.now.bind(Date);
    let later = 0;
    vi.spyOn(Date, 'now').mockImplementation(() => real() + later);
    await sit(study, 1, (line) => {
      // The first run begins, and takes a minute.
      if (line.includes('birds, sum')) later = 61_000;
    });
    expect(made()).toEqual(['sum-lr0.03-seed0.json']);
    expect(record(made()[0]!).status).toBe('finished');
    await sit(study, 1);
    expect(made()).toHaveLength(2);
  });

  it('looks at gradients of the first reference at fixed weights, and trains as if nobody had', async () => {
    const study = await open();
    await sit(study, null);
    const [other, seen] = made().map(record) as [StudyRecord, StudyRecord];
    expect([other.row, seen.row]).toEqual(['mmpareto', 'sum']);
    expect(other.spread).toBeUndefined();
    const { objectives, norms, traces, cosines } = seen.spread!['trunk']!;
    expect(objectives).toEqual(['species', 'sex', 'mass']);
    // Before training and after each of two epochs.
    for (const curve of [...norms, ...traces]) {
      expect(curve).toHaveLength(3);
      for (const value of curve) expect(value).toBeGreaterThan(0);
    }
    expect(cosines.map(({ length }) => length)).toEqual([3, 3, 3]);
    const state = await studyState(study, nodeFiles);
    expect(studyBlocks(study, state).get('birds')).toContain(
      'covariance (shortest, of the longest)',
    );

    rmSync(join(folder, 'records'), { recursive: true });
    const { inspect, ...birds } = protocol.settings.birds;
    expect(inspect).toBe(2);
    const plain = await open({ ...protocol, settings: { birds } });
    await sit(plain, null);
    const again = record('sum-lr0.03-seed0.json');
    expect(again.spread).toBeUndefined();
    expect(again.curves).toEqual(seen.curves);
    expect(again.digest).toBe(seen.digest);
  });
});
