import { dispose, type NamedTensorMap, type Variable } from '@tensorflow/tfjs-core';
import {
  type AnyOptimizer,
  applyOptimizer,
  optimizerDifferences,
  optimizerKind,
  type PartSnapshot,
  restoreOptimizer,
  snapshotOptimizer,
} from './optimizer.ts';
import { addWeightDecay } from './weight-decay.ts';

/** How gradients become changes of variables. */
export interface UpdateOptions {
  readonly optimizer: AnyOptimizer;
  readonly weightDecay?: number;
}

/** What updates remember, with the kind of optimizer that they go through. */
export interface UpdateSnapshot extends PartSnapshot {
  readonly kind: string;
}

/** The way of a step's integrated gradients into the variables. */
export class Update {
  readonly #options: UpdateOptions;
  readonly #variables: ReadonlyMap<string, Variable>;

  constructor(options: UpdateOptions, variables: ReadonlyMap<string, Variable>) {
    this.#options = options;
    this.#variables = variables;
  }

  /** @param gradients - by the variables' own names; they stay the caller's */
  async apply(gradients: NamedTensorMap): Promise<void> {
    const { optimizer, weightDecay = 0 } = this.#options;
    const decayed =
      weightDecay > 0
        ? addWeightDecay(gradients, [...this.#variables.values()], weightDecay)
        : null;
    try {
      await applyOptimizer(optimizer, decayed ?? gradients);
    } finally {
      if (decayed !== null) dispose(decayed);
    }
  }

  snapshot(): UpdateSnapshot {
    const { optimizer } = this.#options;
    return { kind: optimizerKind(optimizer), ...snapshotOptimizer(optimizer, this.#variables) };
  }

  /** What keeps it from going on from a snapshot, a sentence each. */
  differences(snapshot: UpdateSnapshot): string[] {
    const kind = optimizerKind(this.#options.optimizer);
    if (snapshot.kind !== kind) return [`optimizer ${snapshot.kind}, expected ${kind}`];
    return optimizerDifferences(this.#options.optimizer, this.#variables, snapshot);
  }

  /** Goes on from a snapshot without differences. */
  restore(snapshot: UpdateSnapshot): void {
    restoreOptimizer(this.#options.optimizer, this.#variables, snapshot);
  }
}
