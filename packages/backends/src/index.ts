export type { BackendOptions, BackendReport } from './choose-backend.ts';
export { useBackend } from './use-backend.ts';
export type { WasmReport } from './wasm/start.ts';
