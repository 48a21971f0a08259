export type { BackendOptions, BackendReport } from './choose-backend.ts';
export type { GpuReport } from './gpu/gpu-report.ts';
export { useBackend } from './use-backend.ts';
export type { WasmReport } from './wasm/start.ts';
