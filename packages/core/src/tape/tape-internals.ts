import { engine, type Tensor } from '@tensorflow/tfjs-core';

/** One recorded operation, as TensorFlow.js keeps it on its tape. */
export interface TapeNode {
  readonly kernelName: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly Tensor[];
  /** Absent where no gradient is registered for the kernel. */
  readonly gradient?: (dys: (Tensor | null)[]) => Record<string, () => Tensor>;
  /** Kept clones that the gradient reads; no tidy frees them. */
  readonly saved: readonly Tensor[];
}

interface TapeEngine {
  startTape(): void;
  endTape(): void;
  readonly state: { activeTape: TapeNode[] | null; readonly gradientDepth: number };
}

/**
 * The three members of the TensorFlow.js engine that recording needs. They exist at run time in every 4.x release but
 * are private to the type checker: this cast is the one place where the engine leans on them.
 */
export function tapeEngine(): TapeEngine {
  return engine() as unknown as TapeEngine;
}
