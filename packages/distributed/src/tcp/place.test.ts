import { describe, expect, it } from 'vitest';
import { addressOf, addressText, firstHost, isLaunched, placeOf } from './place.ts';

const launched = {
  MULTIGRAD_RANK: '1',
  MULTIGRAD_RANKS: '4',
  MULTIGRAD_MEETING: '127.0.0.1:4000',
  MULTIGRAD_TOKEN: 'secret',
};
const slurm = {
  SLURM_PROCID: '0',
  SLURM_NTASKS: '2',
  SLURM_JOB_ID: '123456',
  SLURM_STEP_ID: '0',
  SLURM_STEP_NODELIST: 'node[03-07,12]',
  MULTIGRAD_TOKEN: 'secret',
};

describe('placeOf', () => {
  it('reads what the launcher says, and what SLURM says', () => {
    expect(placeOf(launched)).toEqual({
      rank: 1,
      size: 4,
      meeting: { host: '127.0.0.1', port: 4000 },
      opener: 'launcher',
      token: 'secret',
    });
    const [first, second] = [placeOf(slurm), placeOf({ ...slurm, SLURM_PROCID: '1' })];
    expect([first.rank, second.rank]).toEqual([0, 1]);
    expect(first.meeting).toEqual(second.meeting);
    expect(first).toMatchObject({ size: 2, opener: 'rank 0', meeting: { host: 'node03' } });
    expect(placeOf({ ...slurm, SLURM_STEP_ID: '1' }).meeting).not.toEqual(first.meeting);
    // `srun -n 2 --preserve-env` in a job of eight tasks.
    expect(placeOf({ ...slurm, SLURM_NTASKS: '8', SLURM_STEP_NUM_TASKS: '2' }).size).toBe(2);
    expect(placeOf({ ...slurm, MULTIGRAD_MEETING: 'ib3:4711' })).toMatchObject({
      ...{ opener: 'rank 0', meeting: { host: 'ib3', port: 4711 } },
    });
  });

  it.each<[Record<string, string | undefined>, RegExp]>([
    [{ ...launched, MULTIGRAD_TOKEN: undefined }, /`MULTIGRAD_TOKEN` should be set.*Found none/],
    [{ ...launched, MULTIGRAD_RANK: 'x' }, /`MULTIGRAD_RANK` should be an integer >= 0. Found "x"/],
    [{ ...launched, MULTIGRAD_RANK: '4' }, /below `MULTIGRAD_RANKS`. Found 4 and 4/],
    [{ ...launched, MULTIGRAD_MEETING: 'here' }, /should be `host:port`. Found "here"/],
    [{ ...launched, MULTIGRAD_MEETING: 'here:99999' }, /Found "here:99999"/],
  ])('says which variable is wrong: %#', (variables, message) => {
    expect(() => placeOf(variables)).toThrow(message);
  });

  it('leaves a batch script of SLURM by itself', () => {
    expect(isLaunched(slurm)).toBe(true);
    expect(isLaunched({ ...slurm, SLURM_STEP_ID: undefined })).toBe(false);
    expect(isLaunched({ ...slurm, SLURM_STEP_ID: '4294967290' })).toBe(false);
    expect(isLaunched({ ...slurm, MULTIGRAD_TOKEN: undefined })).toBe(false);
    expect([isLaunched(launched), isLaunched({})]).toEqual([true, false]);
  });
});

it('addresses and lists of hosts are read as they are written', () => {
  for (const text of ['host:1', '10.0.0.1:65535', '[fe80::1]:80']) {
    expect(addressText(addressOf(text))).toBe(text);
  }
  for (const [list, first] of [
    ['node03', 'node03'],
    ['a,b', 'a'],
    ['node[03-07,12]', 'node03'],
    ['n[1,3]-ib,other', 'n1-ib'],
    ['r[1-2]n[0-9,12],other', 'r1n0'],
    ['a[01-03,07]', 'a01'],
  ] as const) {
    expect(firstHost(list)).toBe(first);
  }
});
