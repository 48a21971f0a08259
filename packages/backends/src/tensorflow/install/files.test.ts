import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { withFiles } from './files.ts';

describe('errors of the file system', () => {
  it('say that the disk is full', async () => {
    // The device that is always full.
    await expect(
      withFiles('write to', '/dev/full', () => writeFile('/dev/full', 'x')),
    ).rejects.toThrow('Cannot write to /dev/full: the disk is full (ENOSPC).');
  });

  it('say that a folder is read-only', async () => {
    const error = Object.assign(new Error('EROFS'), { code: 'EROFS' });
    await expect(
      withFiles('make the folder', '/opt/x', () => Promise.reject(error)),
    ).rejects.toThrow('Cannot make the folder /opt/x: the file system is read-only (EROFS).');
  });

  it('pass on what is not about files', async () => {
    const error = new Error('other');
    await expect(withFiles('write to', 'x', () => Promise.reject(error))).rejects.toBe(error);
  });
});
