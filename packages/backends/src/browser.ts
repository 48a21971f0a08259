/** The entry for runtimes without Node's modules: that of index.ts without native TensorFlow. */
export type { BackendOptions, BackendReport } from './choose-backend.ts';
export type { GpuReport } from './gpu/gpu-report.ts';
export { useBackend } from './use-browser-backend.ts';
export type { WasmReport } from './wasm/start.ts';
