import type { Dirent, Stats } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import type { FileFacts, Files, OpenFile } from './files.ts';

const flags = { read: 'r', create: 'wx', append: 'a' } as const;

function kindOf(entry: Stats | Dirent): FileFacts['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

async function openFile(path: string, how: keyof typeof flags): Promise<OpenFile> {
  const file = await open(path, flags[how]);
  return {
    size: async () => (await file.stat()).size,
    read: async (into, at) => (await file.read(into, 0, into.byteLength, at)).bytesRead,
    write: async (bytes) => (await file.write(bytes, 0, bytes.byteLength, null)).bytesWritten,
    cut: (bytes) => file.truncate(bytes),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/**
 * The file system of this machine.
 *
 * @example
 * ```ts
 * import { tmpdir } from 'node:os';
 * import { nodeFiles } from '@multigrad/core/files';
 *
 * console.log((await nodeFiles.look(tmpdir())).kind); // folder
 * ```
 */
export const nodeFiles: Files = {
  open: openFile,
  look: async (path) => {
    const facts = await lstat(path);
    return { kind: kindOf(facts), bytes: facts.size };
  },
  list: async (folder) =>
    (await readdir(folder, { withFileTypes: true })).map((entry) => {
      return { name: entry.name, kind: kindOf(entry) };
    }),
  makeFolder: (path) => mkdir(path),
  rename,
  link,
  remove: unlink,
  removeFolder: rmdir,
};
