import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import type { GatherOn, Sharding } from '../sharding/sharding.ts';
import { assertAlive, readSnapshot, type ReadSnapshot } from './read-snapshot.ts';
import { tensorsUnder, type TrainerSnapshot, type TrainerState } from './snapshot.ts';
import { slotVariable, variableBehind } from './divided-tensors.ts';
import { optimizerValuesToJson, stateToJson } from './state-json.ts';
import type { StateOptions } from './trainer-options.ts';
import type { TrainingState } from './training-state.ts';

/** A snapshot without the state of a `fit`. */
export interface StateSnapshot {
  readonly state: Omit<TrainerState, 'fit'>;
  readonly tensors: TrainerSnapshot['tensors'];
  readonly shapes?: NonNullable<TrainerSnapshot['shapes']>;
}

/** The tensors that ranks divide among each other. */
type DividedTensors = Readonly<
  Record<'slots' | 'averages' | 'memory', ReadonlyMap<string, Tensor>>
>;

/** Makes snapshots of a training state, and restores them. */
export class TrainerSnapshots {
  readonly #training: TrainingState;
  readonly #options: StateOptions;
  /** For the tensors of each snapshot made here: the number of changes when it was made. */
  readonly #made = new WeakMap<ReadonlyMap<string, Tensor>, number>();

  constructor(training: TrainingState, options: StateOptions) {
    this.#training = training;
    this.#options = options;
  }

  /**
   * Makes a snapshot in a process that trains alone.
   *
   * @throws MultigradError `unsupported` for one of several ranks: none of them has everything
   */
  take(): StateSnapshot {
    if (!this.#training.sharding.whole) {
      throw new MultigradError(
        'unsupported',
        'Each of several ranks has a part of the optimizer alone: await `gatherSnapshot()` on all of them. Found a call of `snapshot()`.',
      );
    }
    this.#training.followLayers();
    return this.#snapshotOf(this.#divided());
  }

  /** Makes a snapshot of all ranks together; every rank must call it. Its tensors live until the next step or snapshot. */
  async gather(on: GatherOn): Promise<StateSnapshot> {
    const { sharding } = this.#training;
    sharding.free();
    await sharding.begin();
    this.#training.followLayers();
    const own = this.#divided();
    const places = this.#training.memory?.tensors() ?? [];
    return this.#snapshotOf({
      slots: await sharding.gather(own.slots, slotVariable, on),
      averages: await sharding.gather(own.averages, (name) => name, on),
      memory: await sharding.gather(own.memory, (index) => places[Number(index)]!.variable, on),
    });
  }

  /** Makes a snapshot of this rank's slices; every rank must call it. */
  async slices(): Promise<StateSnapshot> {
    const { sharding } = this.#training;
    await sharding.begin();
    this.#training.followLayers();
    const own = this.#snapshotOf(this.#divided());
    const shapes = new Map(
      Array.from(own.tensors.keys()).flatMap((name) => {
        const shape = sharding.shapeOf(variableBehind(name, own.state) ?? '');
        return shape === null ? [] : [[name, shape] as const];
      }),
    );
    return sharding.whole ? own : { ...own, shapes };
  }

  /**
   * Replaces the training state by a snapshot. All of it is checked before any of it is written.
   *
   * @throws MultigradError `structure-changed` with all differences, `invalid-argument` for tensors that have changed
   *   since; nothing has changed then
   */
  restore(snapshot: TrainerSnapshot): void {
    const training = this.#training;
    if (snapshot.shapes !== undefined && training.sharding.whole) {
      throw new MultigradError(
        'unsupported',
        'A process by itself should go on from whole tensors. Found a snapshot of slices: let `Checkpoints` put them together.',
      );
    }
    this.#checkFresh(snapshot);
    assertAlive(snapshot);
    const own = cutSnapshot(snapshot, training.sharding);
    let read: ReadSnapshot | null = null;
    try {
      read = readSnapshot(own, {
        options: this.#options,
        named: training.variables,
        statistics: training.statistics,
        slices: training.sharding.variables,
        update: training.update,
        trained: (frozen) => training.trainedBut(frozen),
      });
      // The update may still refuse, and then undoes what it wrote: so it comes first.
      training.update.restore(read.update);
      training.resume(read);
    } finally {
      read?.dispose();
      dispose([...own.tensors.values()]);
    }
  }

  #divided(): DividedTensors {
    const { tensors: slots, averages } = this.#training.update.snapshot();
    const memory = this.#training.memory?.tensors() ?? [];
    return {
      slots,
      averages,
      memory: new Map(memory.map(({ value }, index) => [String(index), value])),
    };
  }

  #snapshotOf({ slots, averages, memory }: DividedTensors): StateSnapshot {
    const { update, lossScale, variables, statistics, integration, step, skips, frozen, changes } =
      this.#training;
    const { kind, values, averagedSteps } = update.snapshot();
    const places = this.#training.memory?.tensors() ?? [];
    const tensors = tensorsUnder({
      weights: variables,
      statistics,
      optimizer: slots,
      average: averages,
      memory,
    });
    this.#made.set(tensors, changes);
    return {
      state: {
        format: 1,
        step,
        integration: integration === undefined ? null : stateToJson(integration),
        memory: places.map(({ variable, objective }) => ({ variable, objective })),
        frozen: [...frozen],
        optimizer: { kind, values: optimizerValuesToJson(kind, values) },
        averagedSteps,
        ...(lossScale === null ? {} : { lossScale: lossScale.snapshot() }),
        ...(skips === 0 ? {} : { skips }),
      },
      tensors,
    };
  }

  /** A snapshot holds the trainer's own tensors, which have other values after a step. @throws MultigradError then */
  #checkFresh({ tensors }: TrainerSnapshot): void {
    const { variables, changes } = this.#training;
    const live = Array.from(variables).find(
      ([name, variable]) => tensors.get(`weights/${name}`) === variable,
    );
    if (live === undefined || this.#made.get(tensors) === changes) return;
    throw new MultigradError(
      'invalid-argument',
      `The snapshot should hold the values of its time. Found the trainer's own variable \`${live[0]}\`, which has changed since: ` +
        'copy the tensors of a snapshot before the next step.',
    );
  }
}

/** Copies a snapshot, with a rank's slices in place of the tensors that ranks divide. */
function cutSnapshot(
  { state, tensors, shapes = new Map() }: TrainerSnapshot,
  sharding: Sharding,
): TrainerSnapshot {
  return { state, tensors: sharding.cut(tensors, (name) => variableBehind(name, state), shapes) };
}
