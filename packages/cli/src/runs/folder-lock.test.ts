import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { nodeFiles } from '@multigrad/core/files';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFile, lockFolder } from './folder-lock.ts';

const since = new Date('2030-01-01T00:00:00Z');
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-lock-'));
  path = join(folder, lockFile);
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (holder: object): void => writeFileSync(path, `${JSON.stringify(holder)}\n`);

describe('lockFolder', () => {
  it('claims a folder until it is given back', async () => {
    const release = await lockFolder(nodeFiles, folder, since);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      process: process.pid,
      host: hostname(),
      since: '2030-01-01T00:00:00.000Z',
    });
    await release();
    expect(existsSync(path)).toBe(false);
  });

  it('refuses a folder that a living process writes, and names it', async () => {
    const other = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
    try {
      write({ process: other.pid, host: hostname(), since: 'yesterday' });
      await expect(lockFolder(nodeFiles, folder, since)).rejects.toThrow(
        `${folder} is being written by process ${other.pid} on ${hostname()} since yesterday.`,
      );
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    // What a killed program left is taken over.
    const release = await lockFolder(nodeFiles, folder, since);
    expect(readFileSync(path, 'utf8')).toContain(String(process.pid));
    await release();
  });

  it.runIf(process.platform === 'linux')(
    'takes over from a process that has ended but whose parent has not noticed',
    async () => {
      const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      try {
        const [said] = (await once(parent.stdout, 'data')) as [Buffer];
        const ended = Number(said.toString());
        await expect
          .poll(() => readFileSync(`/proc/${ended}/stat`, 'utf8'))
          .toMatch(/^\d+ \(.*\) Z /);
        process.kill(ended, 0);
        write({ process: ended, host: hostname(), since: 'yesterday' });
        await (
          await lockFolder(nodeFiles, folder, since)
        )();
      } finally {
        parent.kill('SIGKILL');
        await once(parent, 'exit');
      }
    },
  );

  it('believes what another machine left, and nothing that is no lock', async () => {
    write({ process: 1, host: `not-${hostname()}`, since: 'yesterday' });
    await expect(lockFolder(nodeFiles, folder, since)).rejects.toThrow(`delete ${path}`);
    for (const text of ['', '{"process":', '{}', 'null', '5']) {
      writeFileSync(path, text);
      await (
        await lockFolder(nodeFiles, folder, since)
      )();
    }
  });

  it('gives back only what is still its own', async () => {
    const release = await lockFolder(nodeFiles, folder, since);
    write({ process: 1, host: 'somewhere', since: 'now' });
    await release();
    expect(readFileSync(path, 'utf8')).toContain('somewhere');
  });

  it('says where it cannot write', async () => {
    await expect(lockFolder(nodeFiles, join(folder, 'none'), since)).rejects.toThrow(
      `Cannot write ${join(folder, 'none', lockFile)}: no such file or directory (ENOENT).`,
    );
  });
});
