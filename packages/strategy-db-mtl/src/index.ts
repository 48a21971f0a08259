export { dbMtl, type DbMtlOptions, type DbMtlState } from './db-mtl.ts';
export { plugin } from './plugin.ts';
