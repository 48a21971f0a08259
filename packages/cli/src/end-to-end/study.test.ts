import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Program } from '../testing/program.ts';

// The real program, as `npm run build` made it.

const protocol = {
  ...{ format: 1, name: 'tiny', records: 'records', seeds: 2, rates: [0.01, 0.05] },
  references: ['sum'],
  rows: { sum: { strategy: 'sum' }, mmpareto: { strategy: 'mmpareto' } },
  settings: {
    digits: {
      experiment: 'cg-mnist',
      options: {
        ...{ epochs: 2, 'train-size': 128, 'validation-size': 64, 'test-size': 64 },
        ...{ 'batch-size': 64, width: 4, schedule: 'cosine', observe: 1, checkpoint: 1 },
      },
    },
  },
};

let program: Program;
beforeEach(() => {
  program = new Program();
  write(protocol);
});
afterEach(() => program.dispose());

function write(value: object): void {
  writeFileSync(program.path('study.json'), JSON.stringify(value));
}

const study = (...more: string[]): ReturnType<Program['start']> =>
  program.start(['study', 'study.json', '--backend', 'wasm', '--threads', '1', ...more]);

const records = (): string[] => readdirSync(program.path('records', 'digits')).sort();

/** What a record says of figures, without times. */
function figures(name: string): unknown {
  const { seconds, stepMilliseconds, peakMemory, endedAt, ...rest } = program.json(
    ...['records', 'digits', name],
  );
  expect([seconds, stepMilliseconds, peakMemory].every((value) => Number(value) > 0)).toBe(true);
  expect(Date.parse(String(endedAt))).not.toBeNaN();
  return rest;
}

describe('multigrad study', { timeout: 300_000 }, () => {
  it('tries every rate, goes on with the best, and makes no run twice', async () => {
    const first = await study();
    expect(first.err).toBe('');
    expect(first.code).toBe(0);
    expect(first.out).toContain('6 runs in');
    expect(records()).toHaveLength(6);
    expect(records().filter((name) => name.endsWith('seed1.json'))).toHaveLength(2);
    const kept = program.text('records', 'digits', records()[0]!);

    const again = await study();
    expect(again.code).toBe(0);
    expect(again.out).toContain('6 of 6 runs done');
    expect(again.out).not.toContain('Backend');
    expect(program.text('records', 'digits', records()[0]!)).toBe(kept);

    const dry = await study('--dry-run');
    expect(dry.out).toMatch(/digits +sum +3 +0 +0\.0[15] +–/);

    // Another protocol is said and refused; with --force its runs are made again.
    write({
      ...protocol,
      settings: {
        digits: {
          ...protocol.settings.digits,
          options: { ...protocol.settings.digits.options, epochs: 1 },
        },
      },
    });
    const changed = await study();
    expect(changed.code).toBe(1);
    expect(changed.err).toContain('epochs: 2 there, 1 now');
    expect((await study('--force')).code).toBe(0);
    expect(program.json('records', 'digits', records()[0]!)['epochs']).toBe(1);
  });

  it('killed at any time it loses nothing but the run under way, which ends with the same figures', async () => {
    const whole = await study('--rows', 'mmpareto');
    expect(whole.code).toBe(0);
    const names = records();
    const expected = new Map(names.map((name) => [name, figures(name)]));
    rmSync(program.path('records'), { recursive: true });

    let kills = 0;
    for (const after of [/epoch 1\/2/, /seed 1 \(/]) {
      const killed = await program.start(
        ['study', 'study.json', '--backend', 'wasm', '--threads', '1', '--rows', 'mmpareto'],
        (child, out) => {
          if (after.test(out)) child.kill('SIGKILL');
        },
      );
      if (killed.code === null) kills += 1;
    }
    expect(kills).toBeGreaterThan(0);
    const end = await study('--rows', 'mmpareto');
    expect(end.code).toBe(0);
    expect(records()).toEqual(names);
    for (const name of names) expect(figures(name)).toEqual(expected.get(name));
    expect(readdirSync(program.path('.tiny-unfinished'))).toEqual(['locks']);
    expect(existsSync(program.path('.tiny-unfinished', 'locks'))).toBe(true);
  });

  it('is shared by workers, of which each makes other runs', async () => {
    const { code, out, err } = await study('--workers', '2');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/^1: Backend/m);
    expect(out).toMatch(/^2: Backend/m);
    expect(records()).toHaveLength(6);
    expect(out.match(/finished after/g)).toHaveLength(6);
  });

  it('ends its workers on Ctrl-C, each with a checkpoint, and goes on by the same command', async () => {
    let asked = false;
    const stopped = await program.start(
      ['study', 'study.json', '--backend', 'wasm', '--workers', '2'],
      (child, out) => {
        // A second Ctrl-C would end the program at once.
        if (asked || !/^[12]: .*epoch 1\/2/m.test(out)) return;
        asked = true;
        child.kill('SIGINT');
      },
    );
    expect(stopped.code).toBe(130);
    expect(stopped.err).toContain('the same command goes on where it was stopped');
    const left = readdirSync(program.path('.tiny-unfinished')).filter((name) => name !== 'locks');
    expect(left.length).toBeGreaterThan(0);
    const { code, out } = await study();
    expect(code).toBe(0);
    expect(out).toContain('Going on after step');
    expect(records()).toHaveLength(6);
  });

  it('names what is wrong before anything runs', async () => {
    write({ ...protocol, settings: { digits: { experiment: 'cg-mnistt' } } });
    const experiment = await study();
    expect(experiment.code).toBe(2);
    expect(experiment.err).toContain('Did you mean `cg-mnist`?');

    write({ ...protocol, settings: { digits: { experiment: 'cg-mnist', options: { epoch: 2 } } } });
    const option = await study();
    expect(option.code).toBe(2);
    expect(option.err).toContain('`epochs`');

    write({ ...protocol, settings: { sound: { experiment: 'av-digits', paths: ['data'] } } });
    const path = await study();
    expect(path.code).toBe(2);
    expect(path.err).toContain('--path sound.data=FOLDER');
    expect(existsSync(program.path('records'))).toBe(false);
  });
});
