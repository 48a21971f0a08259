export { type ErrorCode, MultigradError } from './base/errors.ts';
export type { Gramian } from './algebra/gramian.ts';
export type { Json } from './base/json.ts';
export { nearestName } from './base/nearest-name.ts';
export { own } from './base/own.ts';
export type { Needs } from './contract/needs.ts';
export type {
  GradientStrategy,
  GroupDescription,
  GroupGradients,
  Integration,
  MemoryUpdate,
} from './contract/strategy.ts';
export type { CombineRows, RowAlgebra } from './contract/row-algebra.ts';
export type {
  BooleanOption,
  ChoiceOption,
  NumberOption,
  ObjectiveOption,
  ObjectiveWeights,
  OptionSpec,
  OptionSpecOf,
  OptionSpecs,
  OptionsOf,
  OptionValue,
  OptionValueOf,
  ResolvedOptions,
  WeightsOption,
} from './plugin/options.ts';
export { resolveOptions } from './plugin/options-resolve.ts';
export {
  assertPlugin,
  createStrategy,
  definePlugin,
  type Paper,
  type StrategyPlugin,
} from './plugin/plugin.ts';
export type { Not, Scope, SingleGradient, StrategyProperties } from './plugin/properties.ts';
export { createRegistry, type StrategyRegistry } from './plugin/registry.ts';
export { parseStrategySpecifier, type StrategySpecifier } from './plugin/specifier.ts';
export { type BalancedWeights, balancedWeights } from './algebra/balanced-weights.ts';
export { assertStrategy } from './contract/check-strategy.ts';
export { cosineMatrix } from './algebra/cosine-matrix.ts';
export { dualConeProjection, projectOntoDualCone } from './algebra/dual-cone.ts';
export { projectOntoSimplex } from './algebra/project-onto-simplex.ts';
export {
  addGramians,
  cosine,
  gramianOf,
  isZeroCombination,
  type Jacobian,
  nonZero,
  norms,
} from './algebra/gramian-of.ts';
export {
  dividedGramian,
  innerProduct,
  innerProducts,
  isZeroWithinError,
  partOfGramian,
  quadraticForm,
  roundingError,
  scaledGramian,
} from './algebra/gramian-forms.ts';
export { groupGradients, type GroupGradientsParts } from './contract/group-gradients.ts';
export {
  type IntegratedMatrix,
  integrateMatrix,
  type IntegrateMatrixOptions,
  type MemoryRows,
  type TensorColumns,
} from './contract/integrate-matrix.ts';
export { type LinearProgram, solveLinearProgram } from './algebra/linear-program.ts';
export {
  type NonNegativeSolution,
  solveNonNegative,
} from './algebra/non-negative-least-squares.ts';
export { type MinNormPoint, minNormPoint } from './algebra/min-norm.ts';
export { preferencesOf, rayOf, rayOption } from './plugin/preference.ts';
export { type PseudoInverse, pseudoInverse } from './algebra/pseudo-inverse.ts';
export { type Random, type RandomState, randomState, resumeRandom } from './algebra/random.ts';
export { type SymmetricEigen, symmetricEigen } from './algebra/symmetric-eigen.ts';
