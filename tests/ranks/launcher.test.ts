import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { launched, multigrad } from './launched.ts';
import { leftIn, long, newPackage } from './interrupted.ts';
import { listenForRanks, type Orphans, pidsOf, program } from './orphans.ts';

// What becomes of the ranks where their launcher ends before they do. Ranks that were left would keep these tests waiting.

let ranks: Orphans;
const timeout = 120_000;

beforeEach(async () => {
  ranks = await listenForRanks();
});

afterEach(() => ranks.close());

const launch = (behaviour: string): ReturnType<typeof launched> =>
  launched(['-n', '2', 'node', program, String(ranks.port), behaviour]);

it(
  'where the launcher is killed, ranks end by an error that says so',
  async () => {
    const { launcher, ended } = launch('by rounds of calls');
    await ranks.said(2, /started/);
    launcher.kill('SIGKILL');
    expect(await ranks.ended()).toMatch(/The launcher of this job has ended/);
    expect((await ended).exitCode).toBeNull();
  },
  timeout,
);

it.each(['in computations without an end', 'without an answer to signals'])(
  'where the launcher is killed, ranks %s are ended as by a launcher',
  async (behaviour) => {
    const { launcher } = launch(behaviour);
    await ranks.said(2, /started/);
    launcher.kill('SIGKILL');
    const said = await ranks.ended();
    if (behaviour === 'without an answer to signals')
      expect(said.match(/has ended\.\nSIGTERM/g)).toHaveLength(2);
  },
  timeout,
);

it(
  'where the launcher is killed while ranks start, they do not wait for it',
  async () => {
    const { launcher, ended } = launch('before its place is taken');
    await ranks.said(2, /started/);
    launcher.kill('SIGKILL');
    await ended;
    ranks.goOn();
    await ranks.ended();
  },
  timeout,
);

it(
  'a second Ctrl-C kills ranks that go on after the first one',
  async () => {
    const { launcher, ended } = launch('without an answer to signals');
    const started = await ranks.said(2, /started/);
    expect(new Set(pidsOf(started)).size).toBe(2);
    launcher.kill('SIGINT');
    await ranks.said(2, /SIGINT\nstill there/);
    launcher.kill('SIGINT');
    expect(await ranks.ended()).not.toContain('SIGTERM');
    expect((await ended).exitCode).toBe(130);
  },
  timeout,
);

it(
  'a second Ctrl-C also kills what stands between a launcher and its ranks',
  async () => {
    const own = `node '${program}' ${ranks.port} 'without an answer to signals'; true`;
    const { launcher, ended } = launched(['-n', '2', 'sh', '-c', `trap '' INT; ${own}`]);
    await ranks.said(2, /started/);
    launcher.kill('SIGINT');
    await ranks.said(2, /SIGINT\nstill there/);
    launcher.kill('SIGINT');
    await ranks.ended();
    expect((await ended).exitCode).toBe(130);
  },
  timeout,
);

it.skipIf(process.platform !== 'linux')(
  'where the terminal is closed, ranks write their last checkpoint',
  async () => {
    const folder = newPackage();
    const command = `exec '${process.execPath}' '${multigrad}' launch -n 2 ${long}`;
    // It opens a terminal for the command. The launcher, and no rank, keeps the fourth of its files open.
    const terminal = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
      env: { ...process.env, SHELL: '/bin/sh', NO_COLOR: '1' },
    });
    const kept = terminal.stdio[3] as Readable;
    const ended = once(kept.resume(), 'end');
    let output = '';
    for await (const data of terminal.stdout!) {
      output += String(data);
      if (output.includes('epoch 1/')) break;
    }
    expect(output).toContain('epoch 1/');
    terminal.kill('SIGKILL');
    await ended;
    const { status, saved, steps } = leftIn(join(folder, 'out'));
    expect({ status, saved }).toEqual({ status: 'stopped', saved: steps });
    rmSync(folder, { recursive: true });
  },
  timeout,
);
