import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Files } from './files.ts';
import { takeLock } from './lock.ts';
import { nodeFiles } from './node-files.ts';
import { startOf, thisProcess } from './process-identity.ts';

const since = new Date('2030-01-01T00:00:00Z');
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-lock-'));
  path = join(folder, 'lock.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A lock of a process that differs from this one in some ways. */
function leave(changes: object): void {
  const left = { token: 'left-behind', ...thisProcess(), instance: 'another', since: 'yesterday' };
  const lock = { ...left, ...changes };
  writeFileSync(path, `${JSON.stringify(lock)}\n`);
}

const mine = (): boolean =>
  (JSON.parse(readFileSync(path, 'utf8')) as { process: number }).process === process.pid;

/** Takes the lock, looks at it, and gives it back. */
async function expectTaken(): Promise<void> {
  const attempt = await takeLock(nodeFiles, path, since);
  expect(attempt.holder).toBeNull();
  if (attempt.holder !== null) return;
  expect(mine()).toBe(true);
  expect(readdirSync(folder)).toEqual(['lock.json']);
  await attempt.release();
  expect(readdirSync(folder)).toEqual([]);
}

async function expectHeld(): Promise<void> {
  const before = readFileSync(path, 'utf8');
  expect((await takeLock(nodeFiles, path, since)).holder).not.toBeNull();
  expect(readFileSync(path, 'utf8')).toBe(before);
  expect(readdirSync(folder)).toEqual(['lock.json']);
}

describe('takeLock', () => {
  it('lets nobody else in until the lock is given back, this process neither', async () => {
    const attempt = await takeLock(nodeFiles, path, since);
    const second = await takeLock(nodeFiles, path, since);
    expect(second.holder).toMatchObject({
      process: process.pid,
      since: '2030-01-01T00:00:00.000Z',
    });
    if (attempt.holder === null) await attempt.release();
    await expectTaken();
  });

  it('lets one of many in that try at once', async () => {
    leave({ process: 2 ** 30 });
    const attempts = await Promise.all(
      Array.from({ length: 20 }, () => takeLock(nodeFiles, path, since)),
    );
    const [winner, ...others] = attempts.filter(({ holder }) => holder === null);
    expect(others).toEqual([]);
    if (winner?.holder === null) await winner.release();
  });

  it('takes over from a process that has ended, and waits for one that goes on', async () => {
    const other = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
    try {
      await once(other, 'spawn');
      leave({ process: other.pid, started: startOf(other.pid!) });
      await expectHeld();
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    await expectTaken();
  });

  it('knows a process by more than its number', async () => {
    const { boot } = thisProcess();
    // The number was given again: to init, and to this process.
    leave({ process: 1, started: '1234567890123' });
    await expectTaken();
    leave({ started: '1234567890123' });
    await expectTaken();
    leave({ started: null });
    await expectTaken();
    if (boot !== null) {
      leave({ process: 1, started: null, boot: 'before the machine was started again' });
      await expectTaken();
    }
  });

  it('believes what another machine or another container left', async () => {
    leave({ process: 2 ** 30, host: `not-${thisProcess().host}` });
    await expectHeld();
    if (thisProcess().machine !== null) {
      leave({ process: 2 ** 30, machine: 'of the same name', boot: 'another' });
      await expectHeld();
    }
    if (thisProcess().space === null) return;
    leave({ process: 2 ** 30, space: 'pid:[1]' });
    await expectHeld();
  });

  it('takes over what says nothing of a process', async () => {
    for (const text of ['', '{"process":', '{}', 'null', '5', '{"process":-1,"host":"x"}']) {
      writeFileSync(path, text);
      await expectTaken();
    }
  });

  it('goes on where one who took over was killed in the midst of it', async () => {
    leave({ process: 2 ** 30 });
    const heir = {
      ...thisProcess(),
      token: 'heir',
      instance: '',
      process: 2 ** 30,
      since: 'today',
    };
    writeFileSync(`${path}.left-behind.next`, JSON.stringify(heir));
    writeFileSync(`${path}.heir.new`, JSON.stringify(heir));
    await expectTaken();
  });

  it('waits for one that is taking over', async () => {
    leave({ process: 2 ** 30 });
    const heir = { token: 'heir', ...thisProcess(), since: 'today' };
    writeFileSync(`${path}.left-behind.next`, JSON.stringify(heir));
    expect((await takeLock(nodeFiles, path, since)).holder).toMatchObject({ since: 'today' });
  });

  it('does not take over from a lock that is past, however late', async () => {
    leave({ process: 2 ** 30 });
    let others = 0;
    // Between its look at the chain and its claim another process takes the lock over, and gives it back.
    const slow: Files = {
      ...nodeFiles,
      link: async (file, name) => {
        if (name.endsWith('.next') && others === 0) {
          others += 1;
          const other = await takeLock(nodeFiles, path, since);
          if (other.holder === null) await other.release();
          others += (await takeLock(nodeFiles, path, since)).holder === null ? 1 : 0;
        }
        await nodeFiles.link(file, name);
      },
    };
    const attempt = await takeLock(slow, path, since);
    expect([others, attempt.holder?.process]).toEqual([2, process.pid]);
    expect(readdirSync(folder)).toEqual(['lock.json']);
  });

  it('names what is no lock, and leaves it', async () => {
    symlinkSync(join(folder, 'nowhere'), path);
    await expect(takeLock(nodeFiles, path, since)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/should be a lock of multigrad.*is no plain file/) as string,
    });
    expect(readdirSync(folder)).toEqual(['lock.json']);
    rmSync(path);
    mkdirSync(path);
    await expect(takeLock(nodeFiles, path, since)).rejects.toThrow('should be a lock of multigrad');
    rmSync(path, { recursive: true });
    writeFileSync(path, '{"token":"circle"}');
    writeFileSync(`${path}.circle.next`, '{"token":"circle"}');
    await expect(takeLock(nodeFiles, path, since)).rejects.toThrow('succeeds itself');
  });

  it('says where links cannot be made', async () => {
    const without: Files = {
      ...nodeFiles,
      link: () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' })),
    };
    await expect(takeLock(without, path, since)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(
        'should be on a file system that makes hard links',
      ) as string,
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('gives back only what is still its own', async () => {
    const attempt = await takeLock(nodeFiles, path, since);
    leave({ process: 1 });
    if (attempt.holder === null) await attempt.release();
    expect(existsSync(path)).toBe(true);
  });

  it('is given back where the process exits', async () => {
    const listeners = process.listeners('exit');
    await takeLock(nodeFiles, path, since);
    const [atExit] = process.listeners('exit').filter((one) => !listeners.includes(one));
    process.off('exit', atExit!);
    atExit!(0);
    expect(existsSync(path)).toBe(false);
  });
});

describe('startOf', () => {
  it.skipIf(process.platform === 'win32')('tells processes of one number apart', () => {
    for (const platform of ['linux', 'darwin']) {
      // `ps` may not be there.
      const found = startOf(process.pid, platform);
      expect(found).toBe(startOf(process.pid, platform));
      expect(startOf(2 ** 30, platform)).toBeNull();
    }
    expect(startOf(process.pid, 'win32')).toBeNull();
  });
});
