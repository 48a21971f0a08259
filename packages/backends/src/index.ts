export type { BackendReport } from './choose-backend.ts';
export { useBackend } from './use-backend.ts';
