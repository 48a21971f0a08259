export { cosmos, type CosmosOptions } from './cosmos.ts';
export { dwa, type DwaOptions, type DwaState } from './dwa.ts';
export { famo, type FamoOptions, type FamoState } from './famo.ts';
export { gls } from './gls.ts';
export { go4align, type Go4alignOptions, type Go4alignState } from './go4align.ts';
export { imtlL } from './imtl-l.ts';
export type { LearnedWeightsOptions, TrainedNumbers } from './learned-weights.ts';
export { pbi, type PbiOptions } from './pbi.ts';
export { plugins } from './plugins.ts';
export { randomLossWeighting, type RandomLossWeightingOptions } from './random-loss-weighting.ts';
export {
  smoothTchebycheff,
  type SmoothTchebycheffOptions,
  type SmoothTchebycheffState,
} from './smooth-tchebycheff.ts';
export { uncertaintyWeighting } from './uncertainty-weighting.ts';
