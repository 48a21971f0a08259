import type { FitStart, StepReport } from '@multigrad/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MlflowServer, startMlflowServer } from '../testing/mlflow-server.ts';
import { MetricKeys } from './metric-keys.ts';
import { mlflow, type MlflowOptions } from './mlflow.ts';

let server: MlflowServer;

beforeEach(async () => {
  server = await startMlflowServer();
});

afterEach(() => server.close());

const report = (step: number): StepReport => ({
  ...{ step, losses: { near: 1 / (step + 1), far: NaN }, metrics: { near: { accuracy: 0.5 } } },
  groups: [
    {
      ...{ key: 'encoder/near+far', objectives: ['near', 'far'], norms: [1, 2] },
      cosines: [
        [1, -0.5],
        [-0.5, 1],
      ],
      ...{ weights: [0.25, 0.75], conflict: true, diagnostics: { lambda: 1.25 } },
    },
  ],
  ...{ backwardPasses: 2, observed: false },
});

const begin = (step = 0): FitStart => ({
  ...{ step, epoch: 0, batch: step, epochs: 1, variables: [] },
});

const logger = (options: Partial<MlflowOptions> = {}) =>
  mlflow({
    ...{ server: server.address, experiment: 'digits', run: 'sum, seed 0', now: () => 1000 },
    ...{ params: { strategy: 'sum', lr: 0.1 }, tags: { host: 'here' }, every: 1, ...options },
  });

describe('mlflow', () => {
  it('writes steps, groups, epochs, parameters and tags, and ends the run', async () => {
    const log = logger({ every: 2 });
    await log.onTrainBegin!(begin());
    for (const step of [0, 1, 2]) await log.onBatchEnd!(step, report(step));
    await log.onEpochEnd!(0, { loss: 3 });
    await log.onTrainEnd!({} as never);
    expect([...server.experiments]).toEqual([['digits', '0']]);
    const [run] = [...server.runs.values()];
    expect(run).toMatchObject({ name: 'sum, seed 0', experiment: '0', status: 'FINISHED' });
    expect(run!.params).toEqual({ strategy: 'sum', lr: '0.1' });
    expect(run!.tags).toEqual({ host: 'here' });
    const group = 'encoder/near_far';
    expect(run!.metrics.filter(({ step }) => step === 0)).toEqual(
      Object.entries({
        'loss/near': 1,
        'loss/far': 'NaN',
        'accuracy/near': 0.5,
        [`weight/${group}/near`]: 0.25,
        [`norm/${group}/near`]: 1,
        [`cosine/${group}/near far`]: -0.5,
        [`weight/${group}/far`]: 0.75,
        [`norm/${group}/far`]: 2,
        [`conflict/${group}`]: 1,
        [`lambda/${group}`]: 1.25,
      }).map(([key, value]) => ({ key, value, step: 0 })),
    );
    expect(new Set(run!.metrics.map(({ step }) => step))).toEqual(new Set([0, 2]));
    expect(run!.metrics.at(-1)).toEqual({ key: 'epoch/loss', value: 3, step: 2 });
  });

  it('goes on with its run, and sends no step twice', async () => {
    const first = logger();
    await first.onTrainBegin!(begin());
    for (const step of [0, 1]) await first.onBatchEnd!(step, report(step));
    const state = first.snapshot!();
    // Steps after the checkpoint, and the end of an epoch, reach the server; then the process is killed.
    for (const step of [2, 3]) await first.onBatchEnd!(step, report(step));
    await first.onEpochEnd!(0, { loss: 3 });
    const again = logger();
    expect(again.name).toBe(first.name);
    again.restore!(JSON.parse(JSON.stringify(state)) as typeof state);
    await again.onTrainBegin!(begin(2));
    for (const step of [2, 3]) await again.onBatchEnd!(step, report(step));
    await again.onEpochEnd!(0, { loss: 3 });
    for (const step of [4, 5]) await again.onBatchEnd!(step, report(step));
    await again.onEpochEnd!(1, { loss: 2 });
    expect(server.runs.size).toBe(1);
    const { metrics } = server.runs.get('run0')!;
    const stepsOf = (wanted: string) =>
      metrics.filter(({ key }) => key === wanted).map(({ step }) => step);
    expect(stepsOf('loss/near')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(stepsOf('epoch/loss')).toEqual([3, 5]);
  });

  it('begins a run of its own where a fit begins anew', async () => {
    const log = logger();
    await log.onTrainBegin!(begin());
    await log.onTrainBegin!(begin());
    expect([...server.runs.keys()]).toEqual(['run0', 'run1']);
    expect(server.requests.filter((one) => one === 'POST experiments/create')).toHaveLength(1);
  });

  it('says which server refused what, and why', async () => {
    const log = logger();
    await log.onTrainBegin!(begin());
    server.refusals.push({ status: 507, text: '{"error_code":"FULL","message":"no room"}' });
    await expect(log.onBatchEnd!(0, report(0))).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(
        /Cannot write to the run run0 at the MLflow server http:.*FULL \(status 507\): no room/,
      ) as string,
    });
    server.refusals.push({ status: 502, text: '<html>Bad gateway' });
    await expect(log.onEpochEnd!(0, { loss: 1 })).rejects.toThrow('<html>Bad gateway');
    const nobody = logger({ server: 'http://127.0.0.1:9', timeout: 2000 });
    await expect(nobody.onTrainBegin!(begin())).rejects.toMatchObject({ code: 'io' });
  });

  it.each<[Partial<MlflowOptions>, string]>([
    [{ server: 'mlruns' }, 'Option `server` should be an address'],
    [{ experiment: ' ' }, 'Option `experiment` should be a name. Found " ".'],
    [{ every: 0 }, 'Option `every` should be an integer >= 1. Found 0.'],
    [{ timeout: 0.5 }, 'Option `timeout`'],
  ])('refuses %j', (options, message) => {
    expect(() => logger(options)).toThrow(message);
  });
});

describe('names of metrics', () => {
  it('are what MLflow takes, one for each tag', () => {
    const keys = new MetricKeys();
    expect(['a+b', 'a*b', 'a_b', 'a+b', 'a//b/../c', 'ä b'].map((tag) => keys.keyOf(tag))).toEqual([
      'a_b',
      'a_b_2',
      'a_b_3',
      'a_b',
      'a/_/b/_/c',
      '_ b',
    ]);
    const long = ['x', 'y'].map((end) => keys.keyOf('n'.repeat(300) + end));
    expect(long.map(({ length }) => length)).toEqual([250, 250]);
    expect(new Set(long).size).toBe(2);
  });
});
