import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, Program, tiny } from '../testing/program.ts';

let program: Program;

beforeAll(() => {
  program = new Program();
});

afterAll(() => program.dispose());

describe('a program that is stopped', () => {
  it('stops at Ctrl-C after the step and keeps what was measured', async () => {
    const long = [
      'compare',
      'cg-mnist',
      '--strategies',
      'sum,mmpareto',
      '--train-size',
      '640',
      '--test-size',
      '64',
      '--batch-size',
      '64',
      '--epochs',
      '500',
      '--width',
      '4',
      '--out',
      'stopped',
    ];
    let sent = false;
    const { code, out, err } = await program.start(long, (child, text) => {
      if (sent || !text.includes('epoch 2/500')) return;
      sent = true;
      child.kill('SIGINT');
    });
    expect(code).toBe(130);
    expect(err).toContain('Interrupted, Ctrl-C: what was measured is kept');
    expect(err).toContain('Go on with `multigrad resume stopped`.');
    expect(out).toMatch(/^Sum † +\d+\.\d/m);
    expect(out).toMatch(/† Sum, seed 0: stopped after epoch \d+ of 500\./);
    expect(out).toContain('† MMPareto, seed 0: not run yet.');
    const result = program.json('stopped', 'runs', 'sum-seed0', 'result.json') as {
      status: string;
      epochs: number;
    };
    expect(result.status).toBe('stopped');
    expect(program.lines('stopped', 'runs', 'sum-seed0', 'epochs.jsonl')).toHaveLength(
      result.epochs,
    );
    expect(program.text('stopped', 'report.html')).toContain('Sum, seed 0: stopped after epoch');
    expect(program.text('stopped', 'table.md')).toContain('| Sum † |');
  });

  it.each([
    ['a reader that has seen enough', 'nobody reads the output any longer (EPIPE)'],
    ['a terminal that is closed', 'the terminal was closed (SIGHUP)'],
    ['a log on a full disk', 'the output failed (ENOSPC)'],
  ])('ends like Ctrl-C with %s', async (how, why) => {
    const out = how.replaceAll(' ', '-');
    const asked = ['train', 'cg-mnist', '--strategy', 'sum', ...tiny, '--epochs', '500'];
    const full = how.includes('full');
    let done = false;
    const { code, err } = await program.start(
      [...asked, '--out', out],
      (child, text) => {
        if (done || !text.includes('epoch 1/500')) return;
        done = true;
        if (how.includes('terminal')) child.kill('SIGHUP');
        else child.stdout!.destroy();
      },
      full ? '/dev/full' : undefined,
    );
    expect(code).toBe(130);
    expect(err).toContain(`Interrupted, ${why}: what was measured is kept`);
    // The first line of all could not be written: no run had begun.
    if (full) return;
    const run = join(out, 'runs', 'sum-seed0');
    expect(program.json(run, 'result.json')).toMatchObject({ status: 'stopped' });
    expect(readdirSync(program.path(run, 'checkpoints'))).not.toEqual([]);
  });

  it('fails where all was done, and what it printed did not fit on the disk', async () => {
    expect(await program.start(['strategies'], undefined, '/dev/full')).toMatchObject({
      code: 1,
      err: 'error: the output failed (ENOSPC): the last of what was printed is not in it.\n',
    });
  });

  it('lets no second program into a folder, and leaves at a second Ctrl-C with whole lines in its records', async () => {
    const out = 'left';
    const kit = new URL('../../../../scripts/soak/made-up.mjs', import.meta.url);
    // The first run is trained; the data of the second never come, so that no step ends.
    writeFileSync(
      program.path('waits.mjs'),
      `import { madeUp } from ${JSON.stringify(kit)};
const made = madeUp('waits', 'Waits', { fusion: 'summation' });
const forEver = () => new Promise(() => setInterval(() => undefined, 1000));
export const experiment = { ...made, open: (...given) => (given[1] === 0 ? made.open(...given) : (console.log('waits'), forEver())) };
`,
    );
    const asked = ['compare', './waits.mjs', '--strategies', 'sum', '--seeds', '2', '--out', out];
    const long = [...asked, '--epochs', '2', '--batch-size', '12'];
    let second: Promise<Outcome> | undefined;
    let impatience: NodeJS.Timeout | undefined;
    const first = await program.start(long, (child, text) => {
      if (second === undefined && text.includes('waits')) {
        second = program.start([...long, '--force']);
        void second.then(() => child.kill('SIGINT'));
      }
      if (impatience === undefined && text.includes('Stopping after this step.')) {
        // Within a second it counts as the same Ctrl-C, which npm passes on.
        impatience = setInterval(() => child.kill('SIGINT'), 100);
      }
    });
    clearInterval(impatience);
    const refused = await second;
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused!.err).toMatch(
      /^error: The output folder .*left is being written by process \d+ on /,
    );
    expect(first).toMatchObject({ code: 130, err: '' });
    expect(existsSync(program.path(out, 'report.html'))).toBe(false);
    expect(program.lines(out, 'runs', 'sum-seed0', 'epochs.jsonl')).toHaveLength(2);
    expect(existsSync(program.path(out, 'lock.json'))).toBe(false);
  });

  describe('goes on', () => {
    const asked = [
      ...['train', 'cg-mnist', '--strategy', 'pcgrad', ...tiny],
      ...['--epochs', '4', '--batch-size', '32', '--tensorboard'],
    ];
    const run = (out: string): string => join(out, 'runs', 'pcgrad-seed0');
    const checkpoints = (out: string): string[] =>
      readdirSync(program.path(run(out), 'checkpoints')).sort();

    beforeAll(async () => {
      await program.start([...asked, '--out', 'whole']);
    });

    /** All but times is what a run has that was never stopped. */
    function expectWhole(out: string): void {
      for (const file of ['epochs.jsonl', 'steps.jsonl']) {
        const [found, expected] = [out, 'whole'].map((name) =>
          program.lines(run(name), file).map(({ train, test, step, epoch, losses, groups }) => {
            return { train, test, step, epoch, losses, groups };
          }),
        );
        expect(found).toEqual(expected);
      }
      const [found, expected] = [out, 'whole'].map((name) =>
        readFileSync(
          program.path(run(name), 'checkpoints', checkpoints(name).at(-1)!, 'weights.safetensors'),
        ),
      );
      expect(found!.equals(expected!)).toBe(true);
      expect(program.json(run(out), 'result.json')).toMatchObject({
        ...{ status: 'finished', epochs: 4, steps: 16 },
      });
      // It goes on with its event files without being told.
      const events = readdirSync(program.path(run(out), 'tensorboard'));
      expect(events).toEqual(['events.out.tfevents.0000000000.multigrad']);
      const written = program.text(run(out), 'tensorboard', events[0]!);
      expect(written.split('loss/gray').length - 1).toBeGreaterThanOrEqual(16);
      expect(written.split('epoch/loss').length - 1).toBe(4);
    }

    it('bit for bit after Ctrl-C, which finishes the step and saves', async () => {
      let sent = false;
      const stopped = await program.start([...asked, '--out', 'stopped once'], (child, text) => {
        if (sent || !text.includes('epoch 1/4')) return;
        sent = true;
        child.kill('SIGTERM');
      });
      expect(stopped.code).toBe(130);
      expect(stopped.out).toContain('Stopping after this step. Ctrl-C once more stops at once.');
      expect(stopped.err).toContain("Go on with `multigrad resume 'stopped once'`.");
      const { steps, status } = program.json(run('stopped once'), 'result.json');
      expect(status).toBe('stopped');
      const newest = checkpoints('stopped once').at(-1)!;
      const manifest = ['checkpoints', newest, 'checkpoint.json'] as const;
      expect(program.json(run('stopped once'), ...manifest)['step']).toBe(steps);
      const end = await program.start(['resume', 'stopped once']);
      expect(end).toMatchObject({ code: 0, err: '' });
      expect(end.out).toContain(`Going on after step ${String(steps)}.`);
      expectWhole('stopped once');
    });

    it('bit for bit after kill -9, from its checkpoints', async () => {
      const often = [...asked, '--checkpoint', '1', '--out', 'killed'];
      const killed = await program.start(often, (child, text) => {
        if (text.includes('epoch 1/4')) child.kill('SIGKILL');
      });
      expect(killed.code).toBeNull();
      const again = await program.start(['resume', 'killed'], (child, text) => {
        if (text.includes('epoch 3/4')) child.kill('SIGKILL');
      });
      expect(again.out).toMatch(/Going on after step [4-8]\./);
      const end = await program.start(['resume', 'killed']);
      expect(end).toMatchObject({ code: 0, err: '' });
      expectWhole('killed');
    });

    it('with a configuration that a power cut emptied, which its checkpoints tell', async () => {
      const often = [...asked, '--checkpoint', '1', '--out', 'emptied'];
      await program.start(often, (child, text) => {
        if (text.includes('epoch 1/4')) child.kill('SIGKILL');
      });
      const before = program.text('emptied', 'config.json');
      writeFileSync(program.path('emptied', 'config.json'), '');
      const end = await program.start(['resume', 'emptied']);
      expect(end).toMatchObject({ code: 0, err: '' });
      expect(end.out).toContain('config.json was damaged: it is made again from the checkpoints.');
      expect(program.text('emptied', 'config.json')).toBe(before);
      expectWhole('emptied');
    });
  });

  it('goes on with plans where it began without, and ends with the same weights', async () => {
    const asked = [
      ...['train', 'cg-mnist', '--strategy', 'mmpareto', ...tiny],
      ...['--epochs', '8', '--backend', 'wasm'],
    ];
    const weights = (out: string): Buffer => {
      const run = join(out, 'runs', 'mmpareto-seed0');
      const newest = readdirSync(program.path(run, 'checkpoints')).sort().at(-1)!;
      return readFileSync(program.path(run, 'checkpoints', newest, 'weights.safetensors'));
    };
    const compilation = (out: string): unknown =>
      program.json(out, 'runs', 'mmpareto-seed0', 'result.json')['compilation'];
    const [planned, plain, changed] = ['planned', 'plain', 'changed'];
    await program.start([...asked, '--out', planned]);
    await program.start([...asked, '--no-compile', '--out', plain]);
    expect(weights(plain).equals(weights(planned))).toBe(true);
    expect(compilation(planned)).toEqual({
      ...{ replayed: 14, recorded: 2, plain: {}, changed: null },
    });
    const reason = '`compile` is false';
    expect(compilation(plain)).toMatchObject({
      replayed: 0,
      recorded: 0,
      plain: { [reason]: 16 },
    });
    expect(program.text(plain, 'report.html')).toContain(
      '<dd>0 by a plan, 0 noted for one, 16 plain (16: `compile` is false)</dd>',
    );

    const unplanned = [...asked, '--no-compile', '--checkpoint', '1', '--out', changed];
    await program.start(unplanned, (child, text) => {
      if (text.includes('epoch 1/8')) child.kill('SIGTERM');
    });
    const { steps } = program.json(changed, 'runs', 'mmpareto-seed0', 'result.json');
    expect(steps).toBeLessThan(14);
    const end = await program.start(['resume', changed]);
    expect(end).toMatchObject({ code: 0, err: '' });
    expect(end.out).toContain(`${String(steps)}: ${reason}`);
    expect(weights(changed).equals(weights(planned))).toBe(true);
    expect(compilation(changed)).toMatchObject({
      ...{ replayed: 14 - (steps as number), recorded: 2, plain: { [reason]: steps } },
    });
  });

  it('runs no code that a folder names before it is trusted', async () => {
    const evil = "import { writeFileSync } from 'node:fs';\nwriteFileSync('ran', '');\n";
    mkdirSync(program.path('somebody'));
    writeFileSync(program.path('evil.mjs'), evil);
    const config = {
      ...{ format: 1, version: '0.0.0', command: 'compare', experiment: 'cg-mnist' },
      strategies: ['./evil.mjs'],
    };
    const settings = {
      ...{ epochs: 1, 'train-size': 16, 'test-size': 8, 'validation-size': 8, select: 'last' },
      ...{ 'batch-size': 8, lr: 0.01, momentum: 0.9, 'weight-decay': 0, 'group-by': 'reach' },
      ...{ observe: 1, checkpoint: 0, backend: 'cpu', width: 1, variance: 0.03, optimizer: 'sgd' },
      ...{ schedule: 'constant', contribution: 'off', 'contribution-every': 1 },
    };
    const whole = { ...config, seeds: [0], settings };
    writeFileSync(program.path('somebody', 'config.json'), JSON.stringify(whole));
    const refused = await program.start(['resume', 'somebody']);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('would be run: "./evil.mjs"');
    expect(existsSync(program.path('ran'))).toBe(false);
    const trusted = await program.start(['resume', 'somebody', '--trust']);
    expect(trusted.err).toContain('./evil.mjs');
    expect(existsSync(program.path('ran'))).toBe(true);
    const outside = { ...config, strategies: ['sum'], seeds: ['0/../../../victim'], settings };
    writeFileSync(program.path('somebody', 'config.json'), JSON.stringify(outside));
    const hostile = await program.start(['resume', 'somebody']);
    expect(hostile.code).toBe(1);
    expect(hostile.err).toContain(
      'should hold `seeds[0]`, an integer >= 0. Found "0/../../../victim"',
    );
    const odd = {
      ...config,
      strategies: ['sum'],
      seeds: [0],
      settings: { ...settings, epochs: -1 },
    };
    writeFileSync(program.path('somebody', 'config.json'), JSON.stringify(odd));
    const mistaken = await program.start(['resume', 'somebody']);
    expect(mistaken.err).toContain('Option `epochs` of `cg-mnist` should be');
    expect(readdirSync(program.path('somebody'))).toEqual(['config.json']);
  });

  it('begins anew where all checkpoints are damaged, and keeps them aside', async () => {
    const short = ['train', 'cg-mnist', '--strategy', 'sum', ...tiny, '--out', 'damaged'];
    await program.start([...short, '--epochs', '500'], (child, text) => {
      if (text.includes('epoch 2/500')) child.kill('SIGKILL');
    });
    const run = join('damaged', 'runs', 'sum-seed0');
    const names = readdirSync(program.path(run, 'checkpoints')).sort();
    for (const name of names) {
      if (!name.startsWith('.')) {
        writeFileSync(program.path(run, 'checkpoints', name, 'weights.safetensors'), '');
      }
    }
    let sent = false;
    const again = await program.start(['resume', 'damaged'], (child, text) => {
      if (!sent && text.includes('epoch 1/500')) child.kill('SIGTERM');
      sent ||= text.includes('epoch 1/500');
    });
    expect(again.out).toMatch(
      /No checkpoint is sound: the run begins anew. They are kept in .*checkpoints-aside-1\./,
    );
    expect(readdirSync(program.path(run, 'checkpoints-aside-1')).sort()).toEqual(names);
  });
});
