export { runCommandLine } from './command-line.ts';
export type { Environment } from './shared/environment.ts';
