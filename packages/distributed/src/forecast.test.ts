import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Connection, forecast, type Workload } from './forecast.ts';

const cable: Connection = { bandwidth: 25e9 / 8, latency: 20e-6 };
const network: Workload = { batch: 4096, secondsPerSample: 0.02, shared: 11.2e6, objectives: 3 };

describe('forecast', () => {
  it('is the formula', () => {
    const { compute, communication, speedup } = forecast(
      3,
      { batch: 30, secondsPerSample: 0.1, shared: 1000, objectives: 2, heads: 50 },
      { bandwidth: 1e6, latency: 1e-3 },
    );
    expect(compute).toBeCloseTo(1, 12);
    // 2 (N − 1) α + (2/3) 4 (3 · 1000 + 100) / β + 5 · 2 α
    expect(communication).toBeCloseTo(0.004 + ((2 / 3) * 4 * 3100) / 1e6 + 0.01, 12);
    expect(speedup).toBeCloseTo(3 / (compute + communication), 12);
    expect(forecast(1, network, cable)).toMatchObject({ communication: 0, speedup: 1 });
    expect(() => forecast(0, network, cable)).toThrow(/`ranks` should be > 0. Found 0/);
  });

  it('is what the page of the documentation says', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/distributed.md'), 'utf8');
    const cells = page
      .split('\n')
      .filter((line) => /^\| +\d+ \|/.test(line))
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .filter((line) => line.length === 9);
    expect(cells.map((line) => Number(line[1]))).toEqual([8, 16, 32, 64, 128, 256, 512]);
    for (const [, ranks, compute, communication, speedup, plain, fastCompute, fast] of cells) {
      const of = (change: Partial<Workload>) =>
        forecast(Number(ranks), { ...network, ...change }, cable);
      const slow = of({});
      const quick = of({ secondsPerSample: 0.001 });
      expect([compute, communication, speedup, plain, fastCompute, fast]).toEqual([
        (1000 * slow.compute).toFixed(0),
        (1000 * slow.communication).toFixed(0),
        slow.speedup.toFixed(1),
        of({ objectives: 1 }).speedup.toFixed(1),
        (1000 * quick.compute).toFixed(0),
        quick.speedup.toFixed(1),
      ]);
    }
  });
});
