import { Checkpoints } from '@multigrad/checkpoint';
import type { SafePoint, TrainerCallback, TrainerSnapshot } from '@multigrad/core';
import type { Files } from '@multigrad/core/files';
import { type Json, MultigradError } from '@multigrad/core/strategy';

/** The checkpoints of one run. */
export interface RunCheckpoints {
  /**
   * Hands over the newest checkpoint that is sound; its tensors are freed once `take` has returned.
   *
   * @returns what `take` returned; null where there is no checkpoint, so that the run begins anew
   */
  read<T>(take: (snapshot: TrainerSnapshot) => T): Promise<T | null>;
  /** Writes a checkpoint. */
  save(snapshot: TrainerSnapshot): Promise<void>;
}

/** Keeps no checkpoints: for ranks that do not write. */
export const noCheckpoints: RunCheckpoints = {
  read: () => Promise.resolve(null),
  save: () => Promise.resolve(),
};

/**
 * The checkpoints that a folder keeps of one run. Where none of them is sound, they are put aside and the run begins anew.
 *
 * @param config - what decides the run's figures; checkpoints of another configuration are refused
 * @param note - takes a line for the user
 */
export function openCheckpoints(
  folder: string,
  config: Json,
  note: (text: string) => void,
  files: Files,
): RunCheckpoints {
  const checkpoints = new Checkpoints(folder, { config, onDamaged: note, files });
  return {
    read: async (take) => {
      try {
        return await checkpoints.read(take);
      } catch (error) {
        if (!MultigradError.isInstance(error) || error.code !== 'invalid-data') throw error;
        const aside = await checkpoints.setAside();
        note(`No checkpoint is sound: the run begins anew. They are kept in ${String(aside)}.`);
        return null;
      }
    },
    save: async (snapshot) => {
      await checkpoints.save(snapshot);
    },
  };
}

/** When a run makes checkpoints. */
export interface CheckpointPlan {
  /** Steps of the epoch under way. */
  readonly stepsPerEpoch: () => number;
  /** Steps between two checkpoints; 0 for one at the end of each epoch alone. */
  readonly everySteps: number;
  /** Called before each checkpoint: the records that it relies on are on the disk first. */
  readonly before: () => Promise<void>;
}

/**
 * Makes checkpoints during `fit`: every so many steps, after the last step of each epoch, before it is evaluated, and where
 * the user interrupts.
 */
export function checkpointCallback(
  checkpoints: RunCheckpoints,
  { stepsPerEpoch, everySteps, before }: CheckpointPlan,
): TrainerCallback {
  let stepsOfEpoch = 0;
  let unsaved: SafePoint | null = null;
  const save = async (point: SafePoint): Promise<void> => {
    // All ranks take part in a snapshot, also those that do not write it.
    const snapshot = await point.snapshot();
    await before();
    await checkpoints.save(snapshot);
    unsaved = null;
  };
  return {
    onBatchEnd: (batch) => {
      stepsOfEpoch = batch + 1;
    },
    onSafePoint: async (point) => {
      // An epoch's evaluation follows its last checkpoint: where it is interrupted, it is done again.
      if (point.logs !== null) return;
      unsaved = point;
      const due = everySteps > 0 && point.step % everySteps === 0;
      if (due || stepsOfEpoch === stepsPerEpoch()) await save(point);
    },
    onTrainEnd: async () => {
      if (unsaved !== null) await save(unsaved);
    },
  };
}
