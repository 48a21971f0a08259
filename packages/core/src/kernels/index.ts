/**
 * The training kernels that a backend may bring, and how layers call them. For packages that add a backend or a layer.
 *
 * @packageDocumentation
 */
export { gradientDepth } from '../tape/tape-internals.ts';
export { attention, type AttentionCall } from './attention.ts';
export { gru, type GruCall } from './gru.ts';
export { layerNorm, type LayerNormCall } from './layer-norm.ts';
export { lstm, type LstmCall } from './lstm.ts';
export type { RecurrentCall } from './recurrent.ts';
export { hasKernel, runKernel } from './run-kernel.ts';
export { assertFirstOrder, isDifferentiatedTwice } from './second-order.ts';
export { seededUniform, type UniformKey, uniformKey } from './seeded-uniform.ts';
export { type KernelContract, type TrainingKernel, trainingKernels } from './training-kernels.ts';
