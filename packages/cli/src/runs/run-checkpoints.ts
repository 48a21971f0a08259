import { Checkpoints } from '@multigrad/checkpoint';
import type { FitState, MultiObjectiveTrainer, SafePoint, TrainerCallback } from '@multigrad/core';
import { type Json, MultigradError } from '@multigrad/core/strategy';
import type { NamedTensorMap } from '@tensorflow/tfjs-core';

/** Where a run's checkpoints are, and what they are of. */
export interface RunCheckpointsOptions {
  readonly folder: string;
  /** What decides the run's figures. */
  readonly config: Json;
  readonly stepsPerEpoch: number;
  /** Steps between two checkpoints; 0 for one at the end of each epoch alone. */
  readonly everySteps: number;
  /** Takes a line for the user. */
  readonly note: (text: string) => void;
}

/**
 * The checkpoints of one run: every so many steps, after the last step of each epoch, before it is evaluated, and where
 * the user interrupts.
 */
export class RunCheckpoints {
  readonly #checkpoints: Checkpoints;
  readonly #options: RunCheckpointsOptions;

  constructor(options: RunCheckpointsOptions) {
    const { folder, config, note } = options;
    this.#options = options;
    this.#checkpoints = new Checkpoints(folder, { config, onDamaged: note });
  }

  /**
   * Lets a trainer go on from the newest checkpoint that is sound.
   *
   * @returns null where there is none: the run begins anew
   */
  async restore(trainer: MultiObjectiveTrainer<NamedTensorMap, string>): Promise<FitState | null> {
    try {
      const restored = await this.#checkpoints.restore(trainer);
      if (restored === null) return null;
      this.#options.note(`Going on after step ${restored.step}.`);
      return restored.fit;
    } catch (error) {
      if (!MultigradError.isInstance(error) || error.code !== 'invalid-data') throw error;
      this.#options.note('No checkpoint is sound: the run begins anew.');
      await this.#checkpoints.clear();
      return null;
    }
  }

  callback(): TrainerCallback {
    const { everySteps, stepsPerEpoch } = this.#options;
    let ofEpoch = 0;
    let unsaved: SafePoint | null = null;
    const save = async (point: SafePoint): Promise<void> => {
      await this.#checkpoints.save(await point.snapshot());
      unsaved = null;
    };
    return {
      onBatchEnd: (batch) => {
        ofEpoch = batch + 1;
      },
      onSafePoint: async (point) => {
        // An epoch's evaluation, which may be interrupted, follows its last checkpoint: it is done again.
        if (point.logs !== null) return;
        unsaved = point;
        const due = everySteps > 0 && point.step % everySteps === 0;
        if (due || ofEpoch === stepsPerEpoch) await save(point);
      },
      onTrainEnd: async () => {
        if (unsaved !== null) await save(unsaved);
      },
    };
  }
}
