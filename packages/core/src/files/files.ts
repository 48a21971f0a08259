/** What stands at a path itself; a link is not followed. */
export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly bytes: number;
}

/** An entry of a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly kind: FileFacts['kind'];
}

/** A file or folder that is open. */
export interface OpenFile {
  /** Size of the file in bytes. */
  size(): Promise<number>;
  /** Reads into an array from a place in the file; returns how many bytes, 0 at the file's end. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Writes at the end of the file; returns how many of the bytes, at least one. */
  write(bytes: Uint8Array): Promise<number>;
  /** Cuts the file to its first `bytes` bytes. */
  cut(bytes: number): Promise<void>;
  /** Waits until the content of the file, or the entries of the folder, are on the disk. */
  sync(): Promise<void>;
  /** Gives the file back to the system; the object is of no use afterwards. */
  close(): Promise<void>;
}

/**
 * The file operations of all that has to outlive a crash: checkpoints, records and locks. Each throws the system's error,
 * with its `code`, and has changed nothing then, except that a failed write may have written a part.
 *
 * `nodeFiles` are the operations of this machine. Tests pass others, to see what happens where one fails.
 */
export interface Files {
  /**
   * Opens a file.
   *
   * @param how - `'read'`: a file or folder that is there; `'create'`: a new file; `'append'`: a new file or the end of
   *   one that is there
   */
  open(path: string, how: 'read' | 'create' | 'append'): Promise<OpenFile>;
  /** Says what stands at a path, without following a link. */
  look(path: string): Promise<FileFacts>;
  /** The entries of a folder, in no particular order. */
  list(folder: string): Promise<readonly FolderEntry[]>;
  /** Makes one folder; those above it must be there. */
  makeFolder(path: string): Promise<void>;
  /** Gives a file or folder another name; a file that has that name already is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second name, which must be free. */
  link(file: string, name: string): Promise<void>;
  /** Removes a file or a link. */
  remove(path: string): Promise<void>;
  /** Removes a folder that is empty. */
  removeFolder(path: string): Promise<void>;
}
