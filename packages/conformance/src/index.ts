export type { Not, Scope, SingleGradient, StrategyProperties } from './properties.ts';
export type { TestRunner } from './runner.ts';
export { strategyConformance } from './strategy-conformance.ts';
export type { ConformanceOptions } from './subject.ts';
