export { startTestBackend, testedBackends } from './backends.ts';
export { expectGradientByDifferences } from './finite-differences.ts';
export { dot, expectNoConflict, expectVector, jacobians, steep } from './gradients.ts';
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
export { savedAndLoaded } from './saved-models.ts';
