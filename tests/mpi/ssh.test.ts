import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { interrupted, long, newPackage } from '../ranks/interrupted.ts';
import { launched, multigrad } from '../ranks/launched.ts';
import { listenForRanks, type Orphans, program } from '../ranks/orphans.ts';

// Ranks that `multigrad launch --hosts` starts through OpenSSH: the other host is this one, behind a server of ssh of these tests.

const server = ['/usr/sbin/sshd', '/usr/bin/sshd'].find((file) => existsSync(file));
if (server === undefined) console.log('Ranks behind ssh were not tried: there is no sshd.');

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  taken.close();
  return port;
}

describe.skipIf(server === undefined)('ranks behind ssh', () => {
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-ssh-'));
  const path = process.env['PATH'];
  let daemon: ChildProcess;
  let ranks: Orphans;

  beforeAll(async () => {
    const file = (name: string): string => join(folder, name);
    for (const name of ['host', 'own'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)]);
    const port = await freePort();
    const config = {
      ...{ Port: port, ListenAddress: '127.0.0.1', HostKey: file('host'), PidFile: 'none' },
      ...{ AuthorizedKeysFile: file('own.pub'), StrictModes: 'no', UsePAM: 'no' },
    };
    const lines = (settings: object): string =>
      Object.entries(settings)
        .map(([name, value]) => `${name} ${value}\n`)
        .join('');
    writeFileSync(file('server'), lines(config));
    const client = {
      ...{ Port: port, User: userInfo().username, IdentityFile: file('own') },
      ...{ UserKnownHostsFile: file('known'), StrictHostKeyChecking: 'no', LogLevel: 'ERROR' },
    };
    writeFileSync(file('client'), lines(client));
    const real = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
    mkdirSync(file('bin'));
    writeFileSync(file('bin/ssh'), `#!/bin/sh\nexec ${real} -F '${file('client')}' "$@"\n`);
    chmodSync(file('bin/ssh'), 0o755);
    process.env['PATH'] = [file('bin'), path].join(delimiter);
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    daemon = spawn(server!, ['-D', '-e', '-f', file('server')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    for await (const data of daemon.stderr!) {
      said += String(data);
      if (said.includes('listening on')) break;
    }
    expect(said).toContain('listening on');
    expect(spawnSync('ssh', ['127.0.0.1', 'true']).status).toBe(0);
  });

  afterAll(() => {
    process.env['PATH'] = path;
    daemon.kill();
    rmSync(folder, { recursive: true });
  });

  beforeEach(async () => {
    ranks = await listenForRanks();
  });

  afterEach(() => ranks.close());

  const there = ['-n', '2', '--hosts', '127.0.0.1', '--address', '127.0.0.1'];
  const launch = (behaviour: string): ReturnType<typeof launched> =>
    launched([...there, process.execPath, program, String(ranks.port), behaviour]);

  it('end with their own exit code', async () => {
    const { exitCode, errors } = await launched([...there, 'sh', '-c', 'exit 7']).ended;
    expect([exitCode, errors]).toEqual([7, '']);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'write their last checkpoint at %s to the launcher',
    async (name) => {
      const own = newPackage();
      const command = [process.execPath, multigrad, 'launch', ...there, ...long.split(' ')];
      const { status, saved, steps } = await interrupted(own, command, name, 'one');
      expect({ status, saved }).toEqual({ status: 'stopped', saved: steps });
      rmSync(own, { recursive: true });
    },
  );

  it('are killed at a second Ctrl-C', async () => {
    const { launcher, ended } = launch('without an answer to signals');
    await ranks.said(2, /started/);
    launcher.kill('SIGINT');
    await ranks.said(2, /SIGINT\nstill there/);
    launcher.kill('SIGINT');
    expect(await ranks.ended()).not.toContain('SIGTERM');
    expect((await ended).exitCode).toBe(130);
  });

  it.each(['in computations without an end', 'without an answer to signals'])(
    'are ended where the launcher is killed, %s',
    async (behaviour) => {
      const { launcher, ended } = launch(behaviour);
      await ranks.said(2, /started/);
      launcher.kill('SIGKILL');
      await ranks.ended();
      await ended;
    },
  );
});
