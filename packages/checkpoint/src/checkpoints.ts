import { checkKnownOptions, fromEach, fromRoot, type OptionNames } from '@multigrad/core/support';
import type {
  FitState,
  GradientExchange,
  SafePoint,
  TrainerCallback,
  TrainerSnapshot,
} from '@multigrad/core';
import { type Files, nodeFiles } from '@multigrad/core/files';
import { type Json, MultigradError, own } from '@multigrad/core/strategy';
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import {
  type CheckpointContent,
  type CheckpointName,
  folderOf,
  listCheckpoints,
  newestFirst,
  readCheckpoint,
  readManifest,
  removeCheckpoint,
  setAside,
} from './checkpoint-folder.ts';
import { checkFinite } from './check-finite.ts';
import { jsonDifferences } from './json-differences.ts';
import type { RawTensor } from './safetensors/index.ts';
import { readTogether } from './read-together.ts';
import { type RankContent, shareContent } from './share-content.ts';
import { fromTensor, toTensor } from './tensor-file.ts';
import { type ManifestHead, writeCheckpoint, writeTogether } from './write-checkpoint.ts';

/** Options of {@link Checkpoints}. */
export interface CheckpointsOptions {
  /** Configuration of the run; a checkpoint of another configuration is refused. @defaultValue null */
  readonly config?: Json;
  /**
   * Number of the newest checkpoints to keep, an integer >= 1; with more than one, the newest may be damaged.
   * @defaultValue 2
   */
  readonly keep?: number;
  /** Number of checkpoints with the best scores to keep too, an integer >= 0. @defaultValue 0 */
  readonly keepBest?: number;
  /** Called with what is wrong with a damaged checkpoint that is passed over. @defaultValue no call */
  readonly onDamaged?: (message: string) => void;
  /**
   * The trainer's `exchange`, where several ranks train together: rank 0 reads and writes the folder, and every rank calls
   * `restore`, `restoreBest`, `read`, `save` and `setAside` at the same points. Any number of ranks goes on from a checkpoint.
   * @defaultValue none: this process trains by itself
   */
  readonly exchange?: GradientExchange;
  /**
   * Whether each rank writes its own slices of optimizer slots, averages and memory, so that no rank needs memory for the
   * whole of them. The folder has to be on a file system that all ranks share. @defaultValue false: rank 0 writes all
   */
  readonly sharded?: boolean;
  /** Where files are kept. @defaultValue `nodeFiles`, the file system of this machine */
  readonly files?: Files;
}

/** When checkpoints are made during `fit`. */
export interface CheckpointSchedule {
  /** After every n-th step, an integer >= 1. @defaultValue at ends of epochs alone */
  readonly everySteps?: number;
  /** After every n-th epoch, an integer >= 1. @defaultValue 1 */
  readonly everyEpochs?: number;
  /**
   * Name of the number in the logs by which epochs are ranked, such as `val_loss`. @defaultValue none: no checkpoint is
   * a best one
   */
  readonly monitor?: string;
  /** Whether small or large values are good. @defaultValue `'min'` */
  readonly mode?: 'min' | 'max';
}

/** A checkpoint in a folder. */
export interface ListedCheckpoint extends CheckpointName {
  /**
   * Score by which the best are chosen; smaller is better. It is the number that `monitor` names, with the opposite
   * sign where large ones are good. Null where the checkpoint has none, or is damaged.
   */
  readonly score: number | null;
}

/** An object that can be restored from a snapshot, such as a `MultiObjectiveTrainer`. */
export interface Restorable {
  /** Restores a snapshot; returns the position in the `fit` in which it was made, null outside of one. */
  restore(snapshot: TrainerSnapshot): FitState | null;
}

/** The position of a restored checkpoint. */
export interface RestoredCheckpoint {
  /** Training steps done when it was made. */
  readonly step: number;
  /** Position for the option `resume` of `fit`; null where the checkpoint was made outside of one. */
  readonly fit: FitState | null;
}

const optionNames: OptionNames<CheckpointsOptions> = {
  config: true,
  keep: true,
  keepBest: true,
  onDamaged: true,
  exchange: true,
  sharded: true,
  files: true,
};

/**
 * The checkpoints of one run: a folder that holds a folder for each, with weights and statistics in
 * `weights.safetensors`, optimizer slots and the memory in `training.safetensors`, and all else with checksums
 * in `checkpoint.json`.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { Checkpoints } from '@multigrad/checkpoint';
 * import { MultiObjectiveTrainer } from '@multigrad/core';
 * import { pcgrad } from '@multigrad/strategy-pcgrad';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 *
 * const weights = tf.variable(tf.tensor2d([[0.5], [-0.5]]));
 * const trainer = new MultiObjectiveTrainer({
 *   objectives: ({ x }: { x: tf.Tensor2D }) => {
 *     const y = tf.matMul(x, weights);
 *     return { up: tf.mean(tf.square(tf.sub(y, 1))), down: tf.mean(tf.square(y)) };
 *   },
 *   variables: new Map([['dense/kernel', weights]]),
 *   strategy: pcgrad({ seed: 1 }),
 *   optimizer: tf.train.adam(0.01),
 * });
 * const folder = mkdtempSync(join(tmpdir(), 'run-'));
 * const checkpoints = new Checkpoints(folder, { config: { learningRate: 0.01 } });
 * const restored = await checkpoints.restore(trainer); // null at the first start
 * await trainer.fit({ x: tf.eye(2) }, {
 *   epochs: 2,
 *   batchSize: 1,
 *   shuffle: 1,
 *   callbacks: [checkpoints.callback({ everySteps: 1 })],
 *   resume: restored?.fit,
 * });
 * console.log((await checkpoints.list()).map(({ step }) => step)); // [ 4, 4 ]
 * ```
 */
export class Checkpoints {
  readonly #folder: string;
  readonly #options: CheckpointsOptions;
  readonly #files: Files;
  readonly #scores = new Map<string, number | null>();
  /** Names of the checkpoints that this run goes on from, or has made. */
  readonly #own = new Set<string>();
  /** Names of the checkpoints that were read and found damaged. */
  readonly #damaged = new Set<string>();
  /** Whether a call is writing. */
  #isWriting = false;

  /** @throws MultigradError `invalid-option` */
  constructor(folder: string, options: CheckpointsOptions = {}) {
    checkKnownOptions('Checkpoints', options, optionNames);
    checkCount('keep', options.keep ?? 2, 1);
    checkCount('keepBest', options.keepBest ?? 0, 0);
    this.#folder = folder;
    this.#options = options;
    this.#files = options.files ?? nodeFiles;
  }

  /** The checkpoints that the folder holds, newest first, with their scores; damaged ones too, which have none. */
  async list(): Promise<readonly ListedCheckpoint[]> {
    const listed = await Promise.all(
      (await this.#names()).map(async (name) => {
        try {
          return [{ ...name, score: await this.#scoreOf(name) }];
        } catch (error) {
          if (await this.#isThere(name)) throw error;
          // Another process has removed it meanwhile.
          return [];
        }
      }),
    );
    return listed.flat();
  }

  async #isThere(name: CheckpointName): Promise<boolean> {
    return (await this.#names()).some((one) => folderOf(one) === folderOf(name));
  }

  async #names(): Promise<readonly CheckpointName[]> {
    return listCheckpoints(this.#files, this.#folder);
  }

  /**
   * Reads the newest checkpoint that is sound. A checkpoint is passed over where its content proves that it is damaged.
   * Where it cannot be read the call throws, since the cause may be temporary. It may be called while another process
   * trains: where that process removes a checkpoint during the reading, the newer one is read.
   *
   * @returns null where there is none at all
   * @throws MultigradError `invalid-data` where all are damaged, `unsupported` for another version, `io` where one cannot
   *   be read; nothing is changed
   */
  async readNewest(): Promise<CheckpointContent | null> {
    return this.#readFirst(this.#newest, this.#readWhole);
  }

  readonly #newest = async (): Promise<readonly CheckpointName[]> => this.#names();

  readonly #best = async (): Promise<readonly CheckpointName[]> => {
    const scored = (await this.list()).filter(({ score }) => score !== null);
    return scored.sort((a, b) => a.score! - b.score!).map(({ step, serial }) => ({ step, serial }));
  };

  readonly #readWhole = async (name: CheckpointName): Promise<CheckpointContent> =>
    readCheckpoint(this.#files, this.#folder, name);

  /**
   * Reads the best of the checkpoints that are sound, by the scores that they were saved with; otherwise as
   * {@link Checkpoints.readNewest}. Checkpoints of bad scores are kept only while they are new: see the option `keepBest`.
   *
   * @returns null where none has a score
   */
  async readBest(): Promise<CheckpointContent | null> {
    return this.#readFirst(this.#best, this.#readWhole);
  }

  /**
   * Reads the first checkpoint that is sound.
   *
   * @param list - returns those that there are, in the order of choice
   * @param read - reads one; where ranks read together it fails on all of them alike
   */
  async #readFirst<Content>(
    list: () => Promise<readonly CheckpointName[]>,
    read: (name: CheckpointName) => Promise<Content>,
  ): Promise<Content | null> {
    const damaged = new Set<string>();
    let names = await list();
    for (;;) {
      const name = names.find((one) => !damaged.has(folderOf(one)));
      if (name === undefined) break;
      try {
        return await read(name);
      } catch (error) {
        if (!MultigradError.isInstance(error)) throw error;
        if (error.code === 'invalid-data') {
          damaged.add(folderOf(name));
          this.#damaged.add(folderOf(name));
          if (this.#writes) this.#options.onDamaged?.(error.message);
          continue;
        }
        if (error.code !== 'io') throw error;
        // Removed meanwhile? A process removes one only after it has made a newer one, so this ends when it stops training.
        names = await list();
        if (names.some((one) => folderOf(one) === folderOf(name))) throw error;
      }
    }
    if (names.length === 0) return null;
    throw new MultigradError(
      'invalid-data',
      `All ${names.length} checkpoints in ${this.#folder} are damaged. To start anew, choose another folder, or call ` +
        '`setAside` first.',
    );
  }

  /**
   * Restores a trainer from the newest checkpoint that is sound.
   *
   * @returns null where there is none
   * @throws MultigradError `structure-changed` with all that differs, for a checkpoint of another configuration,
   *   network, strategy or optimizer; `invalid-data` where all are damaged; `unsupported` for another version
   */
  async restore(trainer: Restorable): Promise<RestoredCheckpoint | null> {
    return this.read(restoring(trainer));
  }

  /**
   * Passes the newest checkpoint that is sound to a function, as a trainer's snapshot. This run then continues from it:
   * further checkpoints follow it.
   *
   * @param take - takes the snapshot; its tensors are freed once this has returned. With the option `exchange` it is one of slices:
   *   each rank gets its own
   * @returns what `take` returned; null where there is no checkpoint
   * @throws MultigradError `structure-changed` with all that differs, for a checkpoint of another configuration; `invalid-data`
   *   where all are damaged; `unsupported` for another version
   */
  async read<T>(take: (snapshot: TrainerSnapshot) => T): Promise<T | null> {
    // Those after the newest that is sound are damaged.
    return this.#restoring(this.#newest, take, 'up to it');
  }

  /**
   * Restores a trainer from the best checkpoint that is sound: weights, statistics, optimizer and all. At the end of
   * training these are the weights to evaluate and to keep.
   *
   * @returns null where none has a score
   * @throws MultigradError as {@link Checkpoints.restore}
   */
  async restoreBest(trainer: Restorable): Promise<RestoredCheckpoint | null> {
    return this.#restoring(this.#best, restoring(trainer), 'all');
  }

  /** @param own - which checkpoints of the folder this run goes on from */
  async #restoring<T>(
    list: () => Promise<readonly CheckpointName[]>,
    take: (snapshot: TrainerSnapshot) => T,
    own: 'up to it' | 'all',
  ): Promise<T | null> {
    const { exchange, sharded = false } = this.#options;
    const readOne = async (): Promise<CheckpointContent | null> =>
      this.#readFirst(list, this.#readWhole);
    if (exchange === undefined) return this.#take(await readOne(), take, own);
    const listed = async (): Promise<readonly CheckpointName[]> => {
      const names = async (): Promise<Json> =>
        (await list()).map(({ step, serial }) => ({ step, serial }));
      return (await fromRoot(exchange, 'restore, list', names)) as unknown as CheckpointName[];
    };
    const content =
      sharded && exchange.size > 1
        ? await this.#readFirst(listed, async (name) =>
            readTogether(exchange, this.#files, this.#folder, name),
          )
        : await shareContent(exchange, readOne);
    let taken: T | null = null;
    await fromEach(exchange, 'restore, end', async () => {
      taken = await this.#take(content, take, own);
      return null;
    });
    return taken;
  }

  async #take<T>(
    content: CheckpointContent | RankContent | null,
    take: (snapshot: TrainerSnapshot) => T,
    own: 'up to it' | 'all',
  ): Promise<T | null> {
    if (content === null) return null;
    const { manifest } = content;
    const differences = jsonDifferences(manifest.config, this.#options.config ?? null, 'config');
    if (differences.length > 0) {
      throw new MultigradError(
        'structure-changed',
        `The checkpoint ${folderOf(manifest)} in ${this.#folder} is of another run:\n${differences.map((one) => `  ${one}`).join('\n')}`,
      );
    }
    const tensors = new Map<string, Tensor>();
    try {
      for (const [name, raw] of content.tensors) tensors.set(name, toTensor(raw));
      const shapes = 'shapes' in content && content.shapes.size > 0 ? content.shapes : undefined;
      const { state } = manifest;
      const taken = take({ state, tensors, ...(shapes === undefined ? {} : { shapes }) });
      if (!this.#writes) return taken;
      for (const name of await this.#names()) {
        if (this.#damaged.has(folderOf(name))) continue;
        if (own === 'all' || newestFirst(manifest, name) <= 0) this.#own.add(folderOf(name));
      }
      return taken;
    } finally {
      dispose([...tensors.values()]);
    }
  }

  /**
   * Puts all checkpoints aside, sound or not, so that a run can begin anew: the folder gets another name.
   *
   * @returns the folder's new name; null where there is no such folder
   * @throws MultigradError `io`; `interleaved-call` during a `save`
   */
  async setAside(): Promise<string | null> {
    return this.#writing('setAside', async () => {
      const aside = await this.#onFirst('set aside', async () =>
        setAside(this.#files, this.#folder),
      );
      this.#own.clear();
      this.#damaged.clear();
      this.#scores.clear();
      return aside;
    });
  }

  /**
   * Makes a checkpoint, and removes those that are not to be kept any longer, once it is on the disk.
   *
   * A second process that writes into the folder is found out at its next save or at this run's, whichever is later: that
   * one ends with `io`, and what either has saved stays. There is no lock file: one that a run on another machine left
   * when it was killed could not be told from one in use, and the run that goes on in its place would wait for ever.
   *
   * @param score - score by which the best are chosen; smaller is better
   * @throws MultigradError `non-finite` where weights, statistics or slots are NaN or infinite: the checkpoints that there are
   *   were made before, and stay; `io` where it cannot be written, or where the folder holds checkpoints that this run neither
   *   made nor goes on from: all earlier ones are as they were; `io` too where an earlier one cannot be removed: the new
   *   one is made then; `unsupported` for more than 4 GiB of weights, or of what else training carries on;
   *   `interleaved-call` during another `save`
   */
  async save(snapshot: TrainerSnapshot, score: number | null = null): Promise<CheckpointName> {
    return this.#writing('save', () => this.#save(snapshot, score));
  }

  async #save(snapshot: TrainerSnapshot, score: number | null): Promise<CheckpointName> {
    const { exchange } = this.#options;
    const { shapes } = snapshot;
    if (shapes === undefined) {
      return this.#onFirst('checkpoint', async () => {
        const begun = await this.#begin(snapshot, score);
        const { head } = begun;
        const tensors = await rawTensors(snapshot);
        // The checkpoint is there even where `writeCheckpoint` throws, if only its last operation, on the folder, failed.
        this.#own.add(folderOf(head));
        await writeCheckpoint(this.#files, this.#folder, head, tensors);
        return this.#finish(begun);
      });
    }
    if (exchange === undefined) {
      throw new MultigradError(
        'invalid-option',
        'A snapshot of slices should be saved with the option `exchange` of `Checkpoints`, on every rank. Found none.',
      );
    }
    let tensors: ReadonlyMap<string, RawTensor> = new Map();
    await fromEach(exchange, 'checkpoint, numbers', async () => {
      tensors = await rawTensors(snapshot);
      return null;
    });
    let begun: Begun | null = null;
    const begin = async (): Promise<ManifestHead> => {
      begun = await this.#begin(snapshot, score);
      this.#own.add(folderOf(begun.head));
      return begun.head;
    };
    await writeTogether(this.#files, this.#folder, exchange, begin, { tensors, shapes });
    return this.#onFirst('checkpoint, earlier ones', async () => this.#finish(begun!));
  }

  /** Checks that this run may write into the folder, and says what the manifest says. */
  async #begin({ state }: TrainerSnapshot, score: number | null): Promise<Begun> {
    const { step } = state;
    const before = await this.#names();
    const known = (name: CheckpointName): boolean =>
      this.#own.has(folderOf(name)) || this.#damaged.has(folderOf(name));
    const strange = before.find((name) => !known(name));
    if (strange !== undefined) {
      throw new MultigradError(
        'io',
        `The folder ${this.#folder} holds checkpoints of another run, the newest of step ${strange.step}. ` +
          'Go on from them with `restore`, or choose another folder.',
      );
    }
    const serial = 1 + Math.max(0, ...before.map((name) => name.serial));
    const config = this.#options.config ?? null;
    const head = { step, serial, score: Number.isFinite(score) ? score : null, config, state };
    return { head, before };
  }

  /** Remembers a checkpoint that is on the disk, and removes those that it supersedes. */
  async #finish({ head, before }: Begun): Promise<CheckpointName> {
    const name = { step: head.step, serial: head.serial };
    this.#scores.set(folderOf(name), head.score);
    await this.#prune(before, name);
    return name;
  }

  /** Whether this process writes into the folder: of several ranks the first one. */
  get #writes(): boolean {
    return (this.#options.exchange?.rank ?? 0) === 0;
  }

  /** Does something on rank 0 alone, and returns what it returned on every rank. */
  async #onFirst<T extends Json | CheckpointName>(
    what: string,
    work: () => Promise<T>,
  ): Promise<T> {
    const { exchange } = this.#options;
    if (exchange === undefined) return work();
    return (await fromRoot<Json>(exchange, what, async () => (await work()) as Json)) as T;
  }

  /**
   * Makes checkpoints during `fit`, and one more where it is stopped before its end.
   *
   * @throws MultigradError `invalid-option`; during `fit` what `save` throws, and `invalid-option` where the logs have
   *   no number of the name `monitor`
   */
  callback(schedule: CheckpointSchedule = {}): TrainerCallback {
    const { everySteps, everyEpochs = 1, monitor, mode = 'min' } = schedule;
    checkCount('everySteps', everySteps ?? 1, 1);
    checkCount('everyEpochs', everyEpochs, 1);
    let unsaved: SafePoint | null = null;
    const save = async (point: SafePoint): Promise<void> => {
      const { exchange, sharded = false } = this.#options;
      if ((point.ranks ?? 1) > 1 && exchange === undefined) {
        throw new MultigradError(
          'invalid-option',
          `\`Checkpoints\` of a trainer among ranks should have its \`exchange\` as an option, on every rank. Found none, and ${point.ranks} ranks.`,
        );
      }
      const score = monitor === undefined ? null : scoreOf(point, monitor, mode);
      await this.save(await point.snapshot({ slices: sharded }), score);
      unsaved = null;
    };
    return {
      onSafePoint: async (point) => {
        unsaved = point;
        const due =
          point.logs === null
            ? everySteps !== undefined && point.step % everySteps === 0
            : (point.epoch + 1) % everyEpochs === 0;
        if (due) await save(point);
      },
      onTrainEnd: async () => {
        if (unsaved !== null) await save(unsaved);
      },
    };
  }

  /** Lets one call at a time write. */
  async #writing<T>(name: string, write: () => Promise<T>): Promise<T> {
    if (this.#isWriting) {
      throw new MultigradError(
        'interleaved-call',
        `\`${name}\` was called while a checkpoint is written into ${this.#folder}. Await the earlier call first.`,
      );
    }
    this.#isWriting = true;
    try {
      return await write();
    } finally {
      this.#isWriting = false;
    }
  }

  /** Removes all earlier checkpoints except the newest and the best of this run. */
  async #prune(before: readonly CheckpointName[], made: CheckpointName): Promise<void> {
    const { keep = 2, keepBest = 0 } = this.#options;
    const past = before.filter((name) => this.#own.has(folderOf(name)));
    const kept = new Set([folderOf(made), ...past.slice(0, keep - 1).map(folderOf)]);
    if (keepBest > 0) {
      const ranked: { readonly name: string; readonly score: number }[] = [];
      for (const name of past) {
        const score = await this.#scoreOf(name);
        if (score !== null) ranked.push({ name: folderOf(name), score });
      }
      ranked.sort((a, b) => a.score - b.score);
      for (const { name } of ranked.slice(0, keepBest)) kept.add(name);
    }
    for (const name of before) {
      if (kept.has(folderOf(name))) continue;
      await removeCheckpoint(this.#files, this.#folder, name);
      this.#own.delete(folderOf(name));
      this.#damaged.delete(folderOf(name));
    }
  }

  async #scoreOf(name: CheckpointName): Promise<number | null> {
    const key = folderOf(name);
    if (!this.#scores.has(key)) this.#scores.set(key, await this.#readScore(name));
    return this.#scores.get(key)!;
  }

  /** Reads a checkpoint's score; null for a damaged one, so that it is not among the best. */
  async #readScore(name: CheckpointName): Promise<number | null> {
    try {
      return (await readManifest(this.#files, this.#folder, name)).score;
    } catch (error) {
      if (MultigradError.isInstance(error) && error.code === 'invalid-data') return null;
      throw error;
    }
  }
}

/** Restores a trainer from the snapshot that it is given. */
function restoring(trainer: Restorable): (snapshot: TrainerSnapshot) => RestoredCheckpoint {
  return (snapshot) => ({ step: snapshot.state.step, fit: trainer.restore(snapshot) });
}

function scoreOf({ logs }: SafePoint, monitor: string, mode: 'min' | 'max'): number | null {
  if (logs === null) return null;
  const value = own(logs, monitor);
  if (value === undefined) {
    throw new MultigradError(
      'invalid-option',
      `Option \`monitor\` should be one of ${Object.keys(logs).join(', ')}. Found \`${monitor}\`.`,
    );
  }
  return mode === 'min' ? value : -value;
}

function checkCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${name}\` should be an integer >= ${least}. Found ${value}.`,
  );
}

/** A checkpoint that may be written: what its manifest says, and the checkpoints of the folder. */
interface Begun {
  readonly head: ManifestHead;
  readonly before: readonly CheckpointName[];
}

/** The tensors of a snapshot as files hold them. @throws MultigradError `non-finite` */
async function rawTensors({
  state,
  tensors,
}: TrainerSnapshot): Promise<ReadonlyMap<string, RawTensor>> {
  const raw = new Map(
    await Promise.all(
      Array.from(tensors, async ([name, value]) => [name, await fromTensor(value)] as const),
    ),
  );
  checkFinite(raw, state.step);
  return raw;
}
