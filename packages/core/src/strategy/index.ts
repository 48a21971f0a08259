export { type ErrorCode, MultigradError } from './errors.ts';
export type { Gramian } from './gramian.ts';
export type { Json } from './json.ts';
export type { Needs } from './needs.ts';
export type {
  GradientStrategy,
  GroupDescription,
  GroupGradients,
  Integration,
} from './strategy.ts';
