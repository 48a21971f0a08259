export { type Device, testedDevices, useDevice } from './devices.ts';
export { startTestBackend, startTestedBackend, testedBackends } from './backends.ts';
export { entangledRows } from './entangled-rows.ts';
export { itEndsAtStationaryGradients } from './stationary-gradients.ts';
export {
  combineExactly,
  type ExactGradients,
  exactGradients,
  minNormPointExactly,
  projectOntoDualConeExactly,
} from './exact/gradients.ts';
export { judgedStrategies, type JudgedStrategy, type Verdict } from './exact/judged-strategies.ts';
export { solveExactly } from './exact/linear.ts';
export { solveNonNegativeExactly } from './exact/non-negative.ts';
export {
  compareExactly,
  dotExactly,
  exactLength,
  type ExactNumber,
  exactVector,
  type ExactVector,
  nearestDouble,
  nearestDoubles,
  subtractExactly,
} from './exact/numbers.ts';
export {
  engineAnswer,
  type EngineAnswer,
  gradientsOf,
  opposedNetwork,
  type OpposedNetwork,
} from './exact/engine-trials.ts';
export {
  type Answer,
  answerOf,
  answerTo,
  noisyGramian,
  type Trial,
  trialOf,
  withCrossNoise,
} from './exact/trials.ts';
export { expectGradientByDifferences } from './finite-differences.ts';
export {
  bent,
  dot,
  expectClose,
  expectNoConflict,
  expectVector,
  jacobians,
  norm,
  steep,
} from './gradients.ts';
export { expectConstantMemory, variableOf } from './memory.ts';
export { registerHalfBackend, toHalf } from './half-precision.ts';
export {
  convolutionalNetwork,
  multilayerPerceptron,
  normalisedNetwork,
  type ToyNetwork,
} from './networks.ts';
export { expectExactGradients } from './objective-gradients.ts';
export { only } from './only.ts';
export { disposeOptimizer } from './optimizers.ts';
export { problem } from './problems.ts';
export { normalTensor, withSeededRandom } from './random.ts';
export { savedAndLoaded } from './saved-models.ts';
export { trainableVariables } from './trainable-variables.ts';
export { expectSecondDerivative } from './second-derivatives.ts';
export { trainExperiment } from './train-experiment.ts';
