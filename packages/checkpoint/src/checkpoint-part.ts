import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  type Files,
  type Fingerprint,
  makeFolders,
  removeTree,
  syncFolder,
  writeDurably,
} from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import { type CheckpointName, clearUnfinished, codeOf, folderOf } from './checkpoint-folder.ts';
import { type Manifest, manifestFile, sealManifest } from './manifest.ts';

/**
 * A checkpoint that is being written, in a folder under another name. Each file is on the disk before the folder is
 * renamed: a crash at any moment leaves the earlier checkpoints as they were, and this one whole or unseen.
 *
 * Two processes that write at the same time never write into one folder, since each has a name of its own for it, and only
 * one of them can rename to the same name. One may remove what the other has not finished: that one ends with `io`.
 */
export class CheckpointPart {
  readonly #files: Files;
  readonly #folder: string;
  readonly #of: CheckpointName;
  /** The name of the folder in that of all checkpoints. */
  readonly name: string;

  /** @param name - of a part that another rank has begun */
  constructor(
    files: Files,
    folder: string,
    of: CheckpointName,
    name = `.part-${folderOf(of)}-${randomUUID()}`,
  ) {
    this.#files = files;
    this.#folder = folder;
    this.#of = of;
    this.name = name;
  }

  /** Makes the folder, and removes what earlier writers have left. @throws MultigradError `io` */
  async begin(): Promise<void> {
    await this.#writing(async () => {
      await makeFolders(this.#files, this.#folder);
      await clearUnfinished(this.#files, this.#folder);
      await this.#files.makeFolder(this.#path);
    });
  }

  /** Writes a file. @throws MultigradError `io` */
  async write(file: string, parts: Iterable<Uint8Array>): Promise<Fingerprint> {
    return this.#writing(async () => writeDurably(this.#files, join(this.#path, file), parts));
  }

  /** Checks that a file which another rank has written is to be seen here. @throws MultigradError `io` */
  async see(file: string, { bytes }: Fingerprint): Promise<void> {
    await this.#writing(async () => {
      const found = await this.#files.look(join(this.#path, file)).catch((cause: unknown) => {
        if (isMissing(cause)) return null;
        throw cause;
      });
      if (found?.bytes === bytes) return;
      throw new MultigradError(
        'io',
        `The folder ${this.#folder} should be one that all ranks write to, as with a file system that their hosts share. Found on rank 0 ` +
          `${found === null ? `no ${file}` : `${found.bytes} of ${bytes} bytes of ${file}`}: leave \`sharded\` out, so that rank 0 writes all.`,
      );
    });
  }

  /** Writes the manifest, and gives the folder its name. @throws MultigradError `io` */
  async finish(manifest: Manifest): Promise<void> {
    await this.#writing(async () => {
      const text = new TextEncoder().encode(sealManifest(manifest));
      await writeDurably(this.#files, join(this.#path, manifestFile), [text]);
      await syncFolder(this.#files, this.#path);
      await this.#files.rename(this.#path, join(this.#folder, folderOf(this.#of)));
      await syncFolder(this.#files, this.#folder);
    });
  }

  /** Removes what was written; a folder that was renamed stays. */
  async discard(): Promise<void> {
    await removeTree(this.#files, this.#path).catch(() => undefined);
  }

  get #path(): string {
    return join(this.#folder, this.name);
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (MultigradError.isInstance(cause)) throw cause;
      const shared = ['ENOENT', 'EEXIST', 'ENOTEMPTY'].includes(codeOf(cause))
        ? ' (each run needs a folder of its own; here another process seems to write too)'
        : '';
      throw ioError(
        `write the checkpoint of step ${this.#of.step} to ${this.#folder}${shared}`,
        cause,
      );
    }
  }
}
