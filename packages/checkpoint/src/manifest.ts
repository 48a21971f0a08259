import { createHash } from 'node:crypto';
import type { TrainerState } from '@multigrad/core';
import type { Fingerprint } from '@multigrad/core/files';
import { type Json, MultigradError, own } from '@multigrad/core/strategy';
import { checkTrainerState } from './check-state.ts';

/** The file of all but the tensors. */
export const manifestFile = 'checkpoint.json';

/** The files of tensors that a checkpoint holds where one process has written it. */
export const tensorFiles = ['weights.safetensors', 'training.safetensors'] as const;

/** Name of a file of tensors: where ranks have written slices, each has a file of its own, numbered from 0. */
export type TensorFile =
  (typeof tensorFiles)[number] | `training-${number}-of-${number}.safetensors`;

/** The largest files that are written and read: 256 MiB of JSON, and 4 GiB of tensors, which fit into one array. */
export const mostBytes: { readonly manifest: number; readonly tensors: number } = {
  manifest: 2 ** 28,
  tensors: 2 ** 32 - 2 ** 16,
};

/** The file of a tensor: weights and statistics, which other programs can use, have one of their own. */
export function fileOf(tensor: string): (typeof tensorFiles)[number] {
  return /^(weights|statistics)\//.test(tensor) ? 'weights.safetensors' : 'training.safetensors';
}

/** The file in which one of several ranks writes its slices. */
export function sliceFile(rank: number, ranks: number): TensorFile {
  return `training-${rank}-of-${ranks}.safetensors`;
}

/** `checkpoint.json`: all of a checkpoint but its tensors, and what its other files must be. */
export interface Manifest {
  /** Version of this record: 2 where ranks have written slices, which earlier versions cannot put together. */
  readonly format: 1 | 2;
  readonly step: number;
  /** Number among the checkpoints of its folder, so that no name comes twice. */
  readonly serial: number;
  /** Score by which the best are chosen; null where nothing was measured. */
  readonly score: number | null;
  /** Configuration of the run. */
  readonly config: Json;
  readonly state: TrainerState;
  /** By name: each is a {@link TensorFile}. */
  readonly files: Readonly<Record<string, Fingerprint>>;
  /** Shapes of the tensors of which each rank has written a slice, by name; absent where one process has written all. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
}

/** SHA-256 in hexadecimal. */
export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The text of a manifest, with a checksum of its own. */
export function sealManifest(manifest: Manifest): string {
  const text = JSON.stringify(manifest);
  return `${JSON.stringify({ ...manifest, sha256: sha256(text) })}\n`;
}

/** The deepest nesting that is read. Code that walks through it is recursive, and its stack is limited. */
const deepest = 200;

/** Whether a JSON text is nested deeper than anything that was saved. */
function isDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === '"') {
      // Skips a string: brackets in it are no nesting.
      for (at += 1; at < text.length && text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1;
    } else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}

/**
 * Reads what `sealManifest` wrote.
 *
 * @throws MultigradError `unsupported` for a sound manifest of another version
 * @throws Error saying what is damaged
 */
export function openManifest(text: string): Manifest {
  if (isDeep(text)) throw new Error(`checkpoint.json should be nested ${deepest} levels at most`);
  const parsed = JSON.parse(text) as Json;
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Error('checkpoint.json should hold an object');
  }
  const { sha256: expected, ...rest } = parsed as Readonly<Record<string, Json>>;
  if (expected !== sha256(JSON.stringify(rest))) {
    throw new Error('the checksum of checkpoint.json does not fit its content');
  }
  const { format } = rest;
  if (format !== 1 && format !== 2) {
    throw new MultigradError(
      'unsupported',
      `This version reads checkpoints of formats 1 and 2. Found format ${JSON.stringify(format)}.`,
    );
  }
  const { step, serial, score, config, files, shapes } = rest;
  const sound =
    isCount(step) &&
    isCount(serial) &&
    (score === null || typeof score === 'number') &&
    config !== undefined &&
    Object.keys(rest).length === (format === 1 ? 7 : 8) &&
    isFileList(files, format) &&
    (format === 1 || areShapes(shapes));
  if (!sound) throw new Error('checkpoint.json lacks a part, or has one too many');
  return { ...(rest as unknown as Manifest), state: checkTrainerState(rest['state']) };
}

function isCount(value: Json | undefined): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether the files are those of a format, no more and no fewer: a name from the file is never used as a path. */
function isFileList(value: Json | undefined, format: 1 | 2): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const files = value as Readonly<Record<string, Json>>;
  const found = Object.keys(files);
  const ranks = found.length - 1;
  const names =
    format === 1
      ? tensorFiles
      : [tensorFiles[0], ...Array.from({ length: ranks }, (_, rank) => sliceFile(rank, ranks))];
  return (
    found.length === names.length &&
    names.every((name, place) => {
      const file = (found[place] === name ? own(files, name) : null) as Partial<Fingerprint> | null;
      return typeof file === 'object' && isCount(file?.bytes) && typeof file?.sha256 === 'string';
    })
  );
}

function areShapes(value: Json | undefined): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((shape) => Array.isArray(shape) && shape.every(isCount))
  );
}
