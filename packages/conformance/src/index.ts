export type { TestRunner } from './runner.ts';
export { strategyConformance } from './strategy-conformance.ts';
export type { ConformanceOptions } from './subject.ts';
