/**
 * The training kernels that a backend may bring, and how layers call them. For packages that add a backend or a layer.
 *
 * @packageDocumentation
 */
export { gradientDepth } from '../tape/tape-internals.ts';
export { hasKernel, runKernel } from './run-kernel.ts';
export { seededUniform, type UniformKey, uniformKey } from './seeded-uniform.ts';
export { type KernelContract, type TrainingKernel, trainingKernels } from './training-kernels.ts';
