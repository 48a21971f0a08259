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
    const more = forecast(3, { ...network, smallExchanges: 39 }, cable).communication;
    expect(more - forecast(3, network, cable).communication).toBeCloseTo(34 * 2 * 20e-6, 12);
    expect(forecast(1, network, cable)).toMatchObject({ communication: 0, speedup: 1 });
    expect(() => forecast(0, network, cable)).toThrow(/`ranks` should be > 0. Found 0/);
  });
});
