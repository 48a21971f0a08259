import { Checkpoints, type RestoredCheckpoint } from '@multigrad/checkpoint';
import type {
  FitState,
  MultiObjectiveTrainer,
  SafePoint,
  TrainerCallback,
  TrainerSnapshot,
} from '@multigrad/core';
import type { Files } from '@multigrad/core/files';
import { type Json, MultigradError } from '@multigrad/core/strategy';
import { broadcastSnapshot, type MeasuredCommunicator } from '@multigrad/distributed';
import { clone, dispose, type NamedTensorMap } from '@tensorflow/tfjs-core';

type Restored = RestoredCheckpoint;

/** Where a run's checkpoints are, and what they are of. */
export interface RunCheckpointsOptions {
  /** Null on ranks that do not write. */
  readonly folder: string | null;
  /** What decides the run's figures. */
  readonly config: Json;
  readonly stepsPerEpoch: number;
  /** Steps between two checkpoints; 0 for one at the end of each epoch alone. */
  readonly everySteps: number;
  /** Takes a line for the user. */
  readonly note: (text: string) => void;
  /** Where several ranks train together: the first one reads and writes for all. */
  readonly ranks: MeasuredCommunicator | null;
  /** Called before each checkpoint: what it relies on is on the disk first. */
  readonly before: () => Promise<void>;
  /** Where they are kept. @defaultValue the file system of this machine */
  readonly files?: Files;
}

/**
 * The checkpoints of one run: every so many steps, after the last step of each epoch, before it is evaluated, and where
 * the user interrupts.
 */
export class RunCheckpoints {
  readonly #checkpoints: Checkpoints | null;
  readonly #options: RunCheckpointsOptions;

  constructor(options: RunCheckpointsOptions) {
    const { folder, config, note, files } = options;
    this.#options = options;
    const fileSystem = files === undefined ? {} : { files };
    this.#checkpoints =
      folder === null ? null : new Checkpoints(folder, { config, onDamaged: note, ...fileSystem });
  }

  /**
   * Lets a trainer go on from the newest checkpoint that is sound.
   *
   * @returns null where there is none: the run begins anew
   */
  async restore(trainer: MultiObjectiveTrainer<NamedTensorMap, string>): Promise<Restored | null> {
    const { ranks, note } = this.#options;
    if (ranks === null) {
      const restored = await this.#read((snapshot) => trainer.restore(snapshot));
      if (restored !== null) note(`Going on after step ${restored.step}.`);
      return restored;
    }
    let taken: TrainerSnapshot | null = null;
    try {
      await this.#read((snapshot) => {
        taken = copyOf(snapshot);
        return snapshot.state.fit;
      });
      const own = taken as TrainerSnapshot | null;
      const restored = await broadcastSnapshot(ranks, own, {
        restore: (snapshot) => ({ fit: trainer.restore(snapshot), step: snapshot.state.step }),
      });
      if (restored !== null) note(`Going on after step ${restored.step}.`);
      return restored;
    } finally {
      dispose([...((taken as TrainerSnapshot | null)?.tensors.values() ?? [])]);
    }
  }

  /** Hands over the newest checkpoint that is sound. */
  async #read(take: (snapshot: TrainerSnapshot) => FitState | null): Promise<Restored | null> {
    if (this.#checkpoints === null) return null;
    try {
      const snapshot = (): never => {
        throw new Error('Nothing is taken down here.');
      };
      return await this.#checkpoints.restore({ restore: take, snapshot });
    } catch (error) {
      if (!MultigradError.isInstance(error) || error.code !== 'invalid-data') throw error;
      const aside = await this.#checkpoints.setAside();
      this.#options.note(
        `No checkpoint is sound: the run begins anew. They are kept in ${String(aside)}.`,
      );
      return null;
    }
  }

  callback(): TrainerCallback {
    const { everySteps, stepsPerEpoch } = this.#options;
    let ofEpoch = 0;
    let unsaved: SafePoint | null = null;
    const save = async (point: SafePoint): Promise<void> => {
      // All ranks take part in it; the first one writes.
      const snapshot = await point.snapshot();
      await this.#options.before();
      await this.#checkpoints?.save(snapshot);
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

/** A snapshot with tensors of its own. */
function copyOf({ state, tensors }: TrainerSnapshot): TrainerSnapshot {
  return {
    state,
    tensors: new Map(Array.from(tensors, ([name, value]) => [name, clone(value)])),
  };
}
