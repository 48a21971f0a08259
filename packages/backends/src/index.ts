export { type BackendReport, useBackend } from './use-backend.ts';
