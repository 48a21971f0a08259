import {
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../manifest.ts';

/** Folders of the checkpoints in a folder, newest first. */
export function checkpointFolders(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('step-'))
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}

/** Flips one bit of a file. */
export function flipBit(path: string, bit: number): void {
  const bytes = readFileSync(path);
  const at = Math.floor(bit / 8) % bytes.length;
  bytes[at]! ^= 1 << (bit % 8);
  writeFileSync(path, bytes);
}

/** Changes a manifest and seals it again, as somebody would who means harm. */
export function reseal(folder: string, change: (manifest: Record<string, unknown>) => void): void {
  const path = join(folder, 'checkpoint.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  delete manifest['sha256'];
  change(manifest);
  writeFileSync(path, JSON.stringify({ ...manifest, sha256: sha256(JSON.stringify(manifest)) }));
}

/** Replaces a file of tensors, and its entry in the manifest. */
export function replaceTensors(folder: string, file: string, content: Uint8Array): void {
  writeFileSync(join(folder, file), content);
  reseal(folder, (manifest) => {
    const files = manifest['files'] as Record<string, unknown>;
    files[file] = { bytes: content.byteLength, sha256: sha256(content) };
  });
}

/** Ways to damage the newest of two checkpoints, by what they do to it. Each takes the folders of both. */
export const damages: Readonly<Record<string, (newest: string, previous: string) => void>> = {
  'a bit of the weights flipped': (newest) => flipBit(join(newest, 'weights.safetensors'), 8123),
  'a bit of the optimizer slots flipped': (newest) =>
    flipBit(join(newest, 'training.safetensors'), 77),
  'a bit of the state flipped': (newest) => flipBit(join(newest, 'checkpoint.json'), 1605),
  'the weights cut short': (newest) => truncateSync(join(newest, 'weights.safetensors'), 100),
  'the state cut short': (newest) => truncateSync(join(newest, 'checkpoint.json'), 100),
  'an empty state': (newest) => truncateSync(join(newest, 'checkpoint.json'), 0),
  'no state': (newest) => rmSync(join(newest, 'checkpoint.json')),
  'no weights': (newest) => rmSync(join(newest, 'weights.safetensors')),
  'weights of another checkpoint': (newest, previous) =>
    copyFileSync(join(previous, 'weights.safetensors'), join(newest, 'weights.safetensors')),
  'all files of another checkpoint': (newest, previous) => {
    for (const file of readdirSync(previous))
      copyFileSync(join(previous, file), join(newest, file));
  },
  'a link in place of a file': (newest, previous) => {
    rmSync(join(newest, 'weights.safetensors'));
    symlinkSync(join(previous, 'weights.safetensors'), join(newest, 'weights.safetensors'));
  },
  'a hostile length in a header': (newest) => {
    const hostile = new Uint8Array(64);
    new DataView(hostile.buffer).setBigUint64(0, 2n ** 62n, true);
    replaceTensors(newest, 'weights.safetensors', hostile);
  },
  'a path among its files': (newest) =>
    reseal(newest, (manifest) => {
      manifest['files'] = { '../../../etc/passwd': { bytes: 1, sha256: '' } };
    }),
  'a size beyond the disk': (newest) =>
    reseal(newest, (manifest) => {
      const files = manifest['files'] as Record<string, { bytes: number }>;
      files['weights.safetensors']!.bytes = Number.MAX_SAFE_INTEGER;
    }),
  'a state nested without end': (newest) => {
    const path = join(newest, 'checkpoint.json');
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    writeFileSync(path, readFileSync(path, 'utf8').replace('"config":null', `"config":${deep}`));
  },
  'a state of another shape': (newest) =>
    reseal(newest, (manifest) => {
      (manifest['state'] as Record<string, unknown>)['integration'] = { step: 'x' };
    }),
};
