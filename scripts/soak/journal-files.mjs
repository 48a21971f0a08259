// A file system that keeps a journal of its operations, and makes from it the files that a power cut leaves: all that was
// synced, and nothing or a part of the rest.
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The operations of `inner` below a folder, with a journal of those that change something.
 *
 * @returns the files and the journal: `{ kind, path, … }` with paths below the folder
 */
export function journalFiles(inner, root) {
  const journal = [];
  const below = (path) => path.slice(root.length + 1);
  let handles = 0;
  const note = (entry) => journal.push(entry);
  return {
    journal,
    files: {
      ...inner,
      open: async (path, how) => {
        const file = await inner.open(path, how);
        const handle = (handles += 1);
        const at = below(path);
        note({ kind: 'open', handle, path: at, how });
        return {
          ...file,
          write: async (bytes) => {
            const written = await file.write(bytes);
            note({ kind: 'write', handle, bytes: Uint8Array.from(bytes.subarray(0, written)) });
            return written;
          },
          cut: async (bytes) => {
            await file.cut(bytes);
            note({ kind: 'cut', handle, bytes });
          },
          sync: async () => {
            await file.sync();
            note({ kind: 'sync', handle });
          },
        };
      },
      makeFolder: async (path) => {
        await inner.makeFolder(path);
        note({ kind: 'makeFolder', path: below(path) });
      },
      rename: async (from, to) => {
        await inner.rename(from, to);
        note({ kind: 'rename', path: below(from), to: below(to) });
      },
      link: async (file, name) => {
        await inner.link(file, name);
        note({ kind: 'link', path: below(file), to: below(name) });
      },
      remove: async (path) => {
        await inner.remove(path);
        note({ kind: 'remove', path: below(path) });
      },
      removeFolder: async (path) => {
        await inner.removeFolder(path);
        note({ kind: 'remove', path: below(path) });
      },
    },
  };
}

const newFile = () => ({ kind: 'file', content: new Uint8Array(), durable: new Uint8Array() });
const newFolder = () => ({ kind: 'folder', entries: new Map(), durable: new Map(), changes: [] });

function extended(content, bytes) {
  const longer = new Uint8Array(content.length + bytes.length);
  longer.set(content);
  longer.set(bytes, content.length);
  return longer;
}

/** The files and folders after the first `count` operations, each with its content and with what is on the disk. */
function replay(journal, count, lying) {
  const root = newFolder();
  const opened = new Map();
  const find = (path) =>
    path === '' ? root : path.split('/').reduce((node, name) => node?.entries.get(name), root);
  const parent = (path) => find(dirname(path) === '.' ? '' : dirname(path));
  const name = (path) => path.slice(path.lastIndexOf('/') + 1);
  const set = (path, node) => {
    const folder = parent(path);
    folder.changes.push([name(path), node]);
    if (node === null) folder.entries.delete(name(path));
    else folder.entries.set(name(path), node);
  };
  for (const entry of journal.slice(0, count)) {
    const { kind, path } = entry;
    if (kind === 'open') {
      if (entry.how !== 'read' && find(path) === undefined) set(path, newFile());
      opened.set(entry.handle, find(path));
      if (lying !== null && name(path) === lying) find(path).lies = true;
    } else if (kind === 'write') {
      const file = opened.get(entry.handle);
      file.content = extended(file.content, entry.bytes);
    } else if (kind === 'cut') {
      const file = opened.get(entry.handle);
      file.content = file.content.slice(0, entry.bytes);
    } else if (kind === 'sync') {
      const node = opened.get(entry.handle);
      if (node.lies) continue;
      if (node.kind === 'file') node.durable = node.content;
      else {
        node.durable = new Map(node.entries);
        node.changes = [];
      }
    } else if (kind === 'makeFolder') {
      set(path, newFolder());
    } else if (kind === 'rename') {
      const node = find(path);
      set(path, null);
      set(entry.to, node);
    } else if (kind === 'link') {
      set(entry.to, find(path));
    } else if (kind === 'remove') {
      set(path, null);
    }
  }
  return root;
}

/**
 * Writes what is on the disk after a power cut that follows `count` operations.
 *
 * @param random - draws how much of what was not synced is there: of a folder its first changes, of a file its old
 *   content, its new one, a part of it, or zeros; null for nothing
 * @param lying - name of files that are never written, whatever the disk says
 */
export function afterPowerCut(journal, count, folder, random, lying = null) {
  const written = new Map();
  const contentOf = (file) => {
    if (random === null || file.content === file.durable) return file.durable;
    const choice = random.integer(4);
    if (choice === 0) return file.durable;
    if (choice === 1) return file.content;
    const part = file.content.slice(0, random.integer(file.content.length + 1));
    if (choice === 2) return part.length < file.durable.length ? file.durable : part;
    const zeros = new Uint8Array(Math.max(part.length, file.durable.length));
    zeros.set(file.durable);
    return zeros;
  };
  const write = (node, path) => {
    if (node.kind === 'file') {
      if (written.has(node)) linkSync(written.get(node), path);
      else writeFileSync(path, contentOf(node));
      written.set(node, path);
      return;
    }
    mkdirSync(path, { recursive: true });
    const entries = new Map(node.durable);
    const present = random === null ? 0 : random.integer(node.changes.length + 1);
    for (const [name, child] of node.changes.slice(0, present)) {
      if (child === null) entries.delete(name);
      else entries.set(name, child);
    }
    for (const [name, child] of entries) write(child, join(path, name));
  };
  write(replay(journal, count, lying), folder);
}
