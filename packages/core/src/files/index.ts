export {
  type Fingerprint,
  makeFolders,
  NotAsExpected,
  readChecked,
  readPlainFile,
  removeIfThere,
  removeTree,
  replaceDurably,
  syncFolder,
  writeDurably,
} from './durable.ts';
export type { FileFacts, Files, FolderEntry, OpenFile } from './files.ts';
export { type LockAttempt, type LockHolder, takeLock } from './lock.ts';
export { nodeFiles } from './node-files.ts';
