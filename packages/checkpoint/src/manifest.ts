import { createHash } from 'node:crypto';
import type { TrainerState } from '@multigrad/core';
import type { Fingerprint } from '@multigrad/core/files';
import { type Json, MultigradError } from '@multigrad/core/strategy';
import { checkTrainerState } from './check-state.ts';

/** The files of tensors that every checkpoint holds. */
export const tensorFiles = ['weights.safetensors', 'training.safetensors'] as const;

/** Name of a file of tensors. */
export type TensorFile = (typeof tensorFiles)[number];

/** `checkpoint.json`: all of a checkpoint but its tensors, and what its other files must be. */
export interface Manifest {
  /** Version of this record. */
  readonly format: 1;
  readonly step: number;
  /** Number among the checkpoints of its folder, so that no name comes twice. */
  readonly serial: number;
  /** Score by which the best are chosen; null where nothing was measured. */
  readonly score: number | null;
  /** Configuration of the run. */
  readonly config: Json;
  readonly state: TrainerState;
  readonly files: Readonly<Record<TensorFile, Fingerprint>>;
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
  if (rest['format'] !== 1) {
    throw new MultigradError(
      'unsupported',
      `This version reads checkpoints of format 1. Found format ${JSON.stringify(rest['format'])}.`,
    );
  }
  const { step, serial, score, config, files } = rest;
  const sound =
    isCount(step) &&
    isCount(serial) &&
    (score === null || typeof score === 'number') &&
    config !== undefined &&
    Object.keys(rest).length === 7 &&
    isFileList(files);
  if (!sound) throw new Error('checkpoint.json lacks a part, or has one too many');
  return { ...(rest as unknown as Manifest), state: checkTrainerState(rest['state']) };
}

function isCount(value: Json | undefined): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isFileList(value: Json | undefined): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const files = value as Readonly<Record<string, Json>>;
  // Exactly these names: a name from the file is never used as a path.
  return (
    Object.keys(files).length === tensorFiles.length &&
    tensorFiles.every((name) => {
      const file = (Object.hasOwn(files, name) ? files[name] : null) as Partial<Fingerprint> | null;
      return typeof file === 'object' && isCount(file?.bytes) && typeof file?.sha256 === 'string';
    })
  );
}
