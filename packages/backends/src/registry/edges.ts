import { cumulative } from './cumulative.ts';
import { emptyInputs } from './empty-inputs.ts';
import type { OwnKernel } from './own-kernel.ts';
import { windowChecks } from './window-checks.ts';

/** Calls that stock kernels of cpu and wasm do not cover, by operations of TensorFlow.js. */
export const edges: readonly OwnKernel<unknown>[] = [
  ...windowChecks,
  ...emptyInputs,
  ...cumulative,
];
