import { cumulative } from './cumulative.ts';
import { emptyInputs } from './empty-inputs.ts';
import type { OwnKernel } from './own-kernel.ts';
import { windowChecks } from './window-checks.ts';

/** Checks and kernels for calls that the stock kernels of cpu and wasm do not cover, made of TensorFlow.js's operations. */
export const edges: readonly OwnKernel<unknown>[] = [
  ...windowChecks,
  ...emptyInputs,
  ...cumulative,
];
