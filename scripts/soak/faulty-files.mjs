// A file system in which one operation fails, or in which the process dies before, after or during one.

/** How an operation fails: with an error before it, after it, or the process dies before, after or in the midst of it. */
export const modes = [
  ...['EIO', 'ENOSPC', 'EMFILE', 'EACCES', 'EIO after'],
  ...['dies before', 'dies after', 'dies within'],
];

/**
 * Every `every`-th of `count` operations in each mode, as `[mode, operation]`. Each mode begins with another one: a small
 * sample reaches all parts of what is tried.
 */
export function* faultsOf(count, every, first = 1) {
  for (const [index, mode] of modes.entries()) {
    const from = first + Math.floor((index * every) / modes.length);
    for (let at = from; at <= count; at += every) yield [mode, at];
  }
}

/** Thrown by every file operation after the process has died. */
export class Died extends Error {
  constructor() {
    super('EDIED: the process is no more');
    this.code = 'EDIED';
  }
}

function failure(code) {
  return Object.assign(new Error(`${code}: injected`), { code, errno: -5 });
}

/**
 * The operations of `inner`, of which the `at`-th, counted from 1, fails as `mode` says.
 *
 * @returns `count()` operations so far, `died()`, and `operation()`, the one that failed
 */
export function faultyFiles(inner, at, mode, watch = () => undefined) {
  let count = 0;
  let died = false;
  let operation = null;
  const die = () => {
    died = true;
    throw new Died();
  };
  const step = async (name, path, perform, half) => {
    if (died) throw new Died();
    count += 1;
    if (count !== at) {
      const result = await perform();
      watch(name, path);
      return result;
    }
    operation = `${name} ${path}`;
    // The system closes a file also where `close` returns an error.
    if (name === 'close') await perform();
    if (name === 'close' && mode.endsWith('after')) perform = () => undefined;
    if (mode === 'dies before') die();
    if (mode === 'dies within') {
      await half?.();
      die();
    }
    if (mode === 'EIO after' || mode === 'dies after') {
      const result = await perform();
      // The caller never gets the open file, so it is closed here.
      if (name === 'open') await result.close();
      if (mode === 'dies after') die();
      throw failure('EIO');
    }
    // A full disk still writes a part.
    if (mode === 'ENOSPC') await half?.();
    throw failure(mode);
  };
  const opened = (path, file) => ({
    size: () => step('size', path, () => file.size()),
    read: (into, from) => step('read', path, () => file.read(into, from)),
    write: (bytes) =>
      step(
        'write',
        path,
        () => file.write(bytes),
        () => file.write(bytes.subarray(0, bytes.byteLength >> 1)),
      ),
    cut: (bytes) => step('cut', path, () => file.cut(bytes)),
    sync: () => step('sync', path, () => file.sync()),
    // The system closes the files of a process that died.
    close: () => (died ? file.close() : step('close', path, () => file.close())),
  });
  const files = {
    open: async (path, how) => opened(path, await step(`open`, path, () => inner.open(path, how))),
    look: (path) => step('look', path, () => inner.look(path)),
    list: (path) => step('list', path, () => inner.list(path)),
    makeFolder: (path) => step('makeFolder', path, () => inner.makeFolder(path)),
    rename: (from, to) => step('rename', to, () => inner.rename(from, to)),
    link: (file, name) => step('link', name, () => inner.link(file, name)),
    remove: (path) => step('remove', path, () => inner.remove(path)),
    removeFolder: (path) => step('removeFolder', path, () => inner.removeFolder(path)),
  };
  return { files, count: () => count, died: () => died, operation: () => operation };
}
