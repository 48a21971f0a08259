import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  makeFolders,
  readChecked,
  readPlainFile,
  removeTree,
  replaceDurably,
  writeDurably,
} from './durable.ts';
import type { Files, OpenFile } from './files.ts';
import { nodeFiles } from './node-files.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-durable-'));
  path = join(folder, 'file');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The operations that are called, with the names of files; those of a file that is open too. */
function recording(change: (name: string, file: OpenFile) => Partial<OpenFile> = () => ({})): {
  readonly files: Files;
  readonly calls: string[];
} {
  const calls: string[] = [];
  const named = (at: string): string => at.slice(folder.length + 1) || '.';
  const files: Files = {
    ...nodeFiles,
    open: async (at, how) => {
      const file = await nodeFiles.open(at, how);
      return {
        ...file,
        ...change(named(at), file),
        sync: async () => {
          calls.push(`sync ${named(at)}`);
          await file.sync();
        },
      };
    },
    rename: async (from, to) => {
      calls.push(`rename ${named(from)} ${named(to)}`);
      await nodeFiles.rename(from, to);
    },
    makeFolder: async (at) => {
      calls.push(`make ${named(at)}`);
      await nodeFiles.makeFolder(at);
    },
  };
  return { files, calls };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('replaceDurably', () => {
  it('has the content on the disk before the name, and the name before it returns', async () => {
    const { files, calls } = recording();
    await replaceDurably(files, path, 'first');
    await replaceDurably(files, path, 'second');
    expect(readFileSync(path, 'utf8')).toBe('second');
    const once = ['sync file.part', 'rename file.part file', 'sync .'];
    expect(calls).toEqual([...once, ...once]);
  });

  it('leaves what was there where it fails, and nothing beside', async () => {
    await replaceDurably(nodeFiles, path, 'first');
    const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    const { files } = recording(() => ({ write: () => Promise.reject(full) }));
    await expect(replaceDurably(files, path, 'second')).rejects.toBe(full);
    expect(readdirSync(folder)).toEqual(['file']);
    expect(readFileSync(path, 'utf8')).toBe('first');
  });
});

describe('writeDurably', () => {
  it('writes all of it where the system takes less at once', async () => {
    const { files } = recording((_, file) => ({
      write: (bytes) => file.write(bytes.subarray(0, 3)),
    }));
    const content = Uint8Array.from({ length: 100 }, (_, k) => k);
    const parts = [content.subarray(0, 40), content.subarray(40)];
    const fingerprint = await writeDurably(files, path, parts);
    expect(fingerprint).toEqual({ bytes: 100, sha256: sha256(content) });
    expect(Uint8Array.from(readFileSync(path))).toEqual(content);
  });
});

describe('makeFolders', () => {
  it('has every folder that it makes on the disk', async () => {
    const { files, calls } = recording();
    await makeFolders(files, join(folder, 'a', 'b'));
    expect(calls).toEqual(['make a', 'sync .', 'make a/b', 'sync a']);
    await makeFolders(files, join(folder, 'a', 'b'));
    expect(calls).toHaveLength(4);
  });
});

describe('removeTree', () => {
  it('removes a folder with all it holds, and does not follow links', async () => {
    const kept = join(folder, 'kept');
    mkdirSync(kept);
    writeFileSync(join(kept, 'x'), '');
    mkdirSync(join(folder, 'tree', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'tree', 'deep', 'y'), '');
    symlinkSync(kept, join(folder, 'tree', 'link'));
    await removeTree(nodeFiles, join(folder, 'tree'));
    await removeTree(nodeFiles, join(folder, 'tree'));
    expect(readdirSync(folder)).toEqual(['kept']);
    expect(readdirSync(kept)).toEqual(['x']);
  });
});

describe('readChecked', () => {
  it('reads what was written, in pieces', async () => {
    const content = Uint8Array.from({ length: 5_000_000 }, (_, k) => k * 7);
    const fingerprint = await writeDurably(nodeFiles, path, [content]);
    const { files } = recording((_, file) => ({
      read: (into, at) => file.read(into.subarray(0, 999_999), at),
    }));
    expect(sha256(await readChecked(files, path, fingerprint))).toBe(fingerprint.sha256);
    await writeDurably(nodeFiles, `${path}.small`, [content.subarray(0, 3)]);
    const small = { bytes: 3, sha256: sha256(content.subarray(0, 3)) };
    expect([...(await readChecked(files, `${path}.small`, small))]).toEqual([0, 7, 14]);
  });

  it('takes no memory for a file that is not what was written, however long it claims to be', async () => {
    writeFileSync(path, '');
    // Sparse: it takes no room on the disk.
    truncateSync(path, 3e9);
    expect(statSync(path).blocks).toBeLessThan(100);
    await expect(readChecked(nodeFiles, path, { bytes: 100, sha256: '' })).rejects.toThrow(
      'has 3000000000 bytes, more than 100',
    );
    await expect(readPlainFile(nodeFiles, path, 2 ** 28)).rejects.toThrow('more than 268435456');
  });

  it('reads no link and no folder', async () => {
    symlinkSync('/dev/zero', path);
    await expect(readPlainFile(nodeFiles, path, 10)).rejects.toThrow('is no plain file');
    await expect(readPlainFile(nodeFiles, folder, 10)).rejects.toThrow('is no plain file');
  });
});
