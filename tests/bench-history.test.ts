import { describe, expect, it } from 'vitest';
import { compareRecords, ratiosOf } from '../bench/src/history/compare.mjs';

const around = (median: number) => ({ low: 0.95 * median, median, high: 1.05 * median });
const record = (commit: string, median: number, machine = 'a processor') => ({
  commit,
  machine,
  ratios: { 'lstm, wasm, sum': around(median) },
});

describe('the history of benchmarks', () => {
  it('names a ratio that is worse than the best before it', () => {
    const records = [record('one', 1), record('two', 0.8), record('three', 0.9), record('four', 1)];
    const [found] = compareRecords(records, 1.15);
    expect(found).toMatchObject({ worse: true, commit: 'two', best: around(0.8) });
    expect(compareRecords(records.slice(0, 3), 1.15)[0]!.worse).toBe(false);
  });

  it('does not take noise, another machine or a first record for a slowdown', () => {
    const noisy = {
      ...record('two', 1.3),
      ratios: { 'lstm, wasm, sum': { low: 0.9, median: 1.3, high: 2 } },
    };
    expect(compareRecords([record('one', 1), noisy], 1.15)[0]!.worse).toBe(false);
    const elsewhere = compareRecords([record('one', 1, 'another'), record('two', 3)], 1.15);
    expect(elsewhere).toEqual([{ name: 'lstm, wasm, sum', now: around(3), worse: false }]);
    expect(compareRecords([], 1.15)).toEqual([]);
  });

  it('takes the ratios of what was measured, none of a case to itself', () => {
    const rows = [
      { runner: 'wasm', case: 'sum', ofOwnSum: around(1), ofPeerSum: around(2) },
      { runner: 'wasm', case: 'mmpareto', ofOwnSum: around(1.5), ofPeerByHand: around(3) },
      { runner: 'pytorch', case: 'sum', ofPeerSum: around(1) },
      { runner: 'wasm', residentMegabytes: 100 },
    ];
    expect(ratiosOf({ results: [{ workload: 'lstm', rows }] })).toEqual({
      "lstm, wasm, sum: of PyTorch's sum": around(2),
      'lstm, wasm, mmpareto: of its own sum': around(1.5),
      'lstm, wasm, mmpareto: of MMPareto by hand': around(3),
    });
  });
});
