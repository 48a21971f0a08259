export { clippedGradients, type ClippedGradientsOptions } from './clipped-gradients.ts';
export { normalizedGradients, type NormalizedGradientsState } from './normalized-gradients.ts';
export { descriptions, type CompositionDescription } from './descriptions.ts';
export {
  onlyObjectives,
  type OnlyObjectivesOptions,
  type OnlyObjectivesState,
} from './only-objectives.ts';
export { perGroup, type PerGroupState, type StrategiesByGroup } from './per-group.ts';
export {
  refreshedEvery,
  type RefreshedEveryOptions,
  type RefreshedEveryState,
} from './refreshed-every.ts';
export {
  weightMomentum,
  type WeightMomentumOptions,
  type WeightMomentumState,
} from './weight-momentum.ts';
export type { NamedWeights, LastWeights } from './named-weights.ts';
