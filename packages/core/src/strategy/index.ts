export { type ErrorCode, MultigradError } from './errors.ts';
export { ioError, isMissing } from './io-error.ts';
export type { Gramian } from './gramian.ts';
export type { Json } from './json.ts';
export type { Needs } from './needs.ts';
export type {
  GradientStrategy,
  GroupDescription,
  GroupGradients,
  Integration,
  MemoryUpdate,
} from './strategy.ts';
export type { CombineRows, RowAlgebra } from './row-algebra.ts';
export { describeValue } from './describe-value.ts';
export { nearestName } from './nearest-name.ts';
export type {
  BooleanOption,
  ChoiceOption,
  NumberOption,
  ObjectiveWeights,
  OptionSpec,
  OptionSpecOf,
  OptionSpecs,
  OptionValue,
  ResolvedOptions,
  WeightsOption,
} from './options.ts';
export { describeOption, optionDefault, resolveOptions } from './options-resolve.ts';
export { optionsFromText } from './options-text.ts';
export {
  assertPlugin,
  createStrategy,
  definePlugin,
  type Paper,
  type StrategyPlugin,
} from './plugin.ts';
export type { Not, Scope, SingleGradient, StrategyProperties } from './properties.ts';
export { createRegistry, type StrategyRegistry } from './registry.ts';
export { parseStrategySpecifier, type StrategySpecifier } from './specifier.ts';
export { balancedWeights } from './balanced-weights.ts';
export { checkGramian } from './check-gramian.ts';
export { assertStrategy } from './check-strategy.ts';
export { cosineMatrix } from './cosine-matrix.ts';
export { dualConeProjection, projectOntoDualCone } from './dual-cone.ts';
export { projectOntoSimplex } from './project-onto-simplex.ts';
export { addGramians, cosine, gramianOf, type Jacobian, nonZero, norms } from './gramian-of.ts';
export { groupGradients, type GroupGradientsParts } from './group-gradients.ts';
export {
  type IntegratedMatrix,
  integrateMatrix,
  type IntegrateMatrixOptions,
  type RememberedRows,
  type TensorColumns,
} from './integrate-matrix.ts';
export { type MinNormPoint, minNormPoint } from './min-norm.ts';
export { preferencesOf } from './preference.ts';
export { type PseudoInverse, pseudoInverse } from './pseudo-inverse.ts';
export { type Random, type RandomState, randomState, resumeRandom } from './random.ts';
export { type SymmetricEigen, symmetricEigen } from './symmetric-eigen.ts';
