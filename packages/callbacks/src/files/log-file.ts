import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { ioError, isMissing } from '@multigrad/core/support';

/**
 * A file that only grows. It is opened for each record and closed again, so what was appended outlives the process, and
 * a run that ends by an error leaves nothing open.
 */
export class LogFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The file's content; empty where there is no file. */
  read(): Buffer {
    try {
      return readFileSync(this.path);
    } catch (cause) {
      if (isMissing(cause)) return Buffer.alloc(0);
      throw ioError(`read ${this.path}`, cause);
    }
  }

  /** Adds data at the end of the file. */
  append(data: string | Uint8Array): void {
    this.#write(() => appendFileSync(this.path, data));
  }

  /** Cuts the file to `length` bytes. */
  cut(length: number): void {
    this.#write(() => truncateSync(this.path, length));
  }

  /** Replaces the file's content by `data`, whole or not at all. */
  replace(data: string): void {
    this.#write(() => {
      writeFileSync(`${this.path}.part`, data, { flush: true });
      renameSync(`${this.path}.part`, this.path);
    });
  }

  /** Makes sure that it can be appended to: its folder exists, and so does the file. */
  create(): void {
    this.#write(() => {
      mkdirSync(dirname(this.path), { recursive: true });
      appendFileSync(this.path, '');
    });
  }

  /** Waits until what was appended would outlive a loss of power. */
  flush(): void {
    this.#write(() => {
      const file = openSync(this.path, 'r+');
      try {
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    });
  }

  #write(action: () => void): void {
    try {
      action();
    } catch (cause) {
      throw ioError(`write ${this.path}`, cause);
    }
  }
}
