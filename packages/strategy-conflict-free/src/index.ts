export { conflictFree, type ConflictFreeOptions } from './conflict-free.ts';
export { plugin } from './plugin.ts';
