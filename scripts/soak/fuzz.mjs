// Damages checkpoints in every way that it can think of and reads them: the newest comes back as it was, or the one
// before it, or an error of our own; never anything else.
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checkpoints } from '../../packages/checkpoint/dist/index.js';
import { MultigradError, randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { mutate, reseal, scramble, sha256 } from './damage.mjs';
import { openBackend, smallRun } from './small-run.mjs';

const tensorFiles = ['weights.safetensors', 'training.safetensors'];
const files = [...tensorFiles, 'checkpoint.json'];

/** Kinds of damage; `sealed` ones have sound checksums: what they hold may be anything that fits the trainer. */
const kinds = {
  bits: ({ newest, random }) => {
    const path = join(newest, files[random.integer(3)]);
    writeFileSync(path, scramble(readFileSync(path), random));
  },
  truncation: ({ newest, random }) => {
    const path = join(newest, files[random.integer(3)]);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, random.integer(bytes.length)));
  },
  extension: ({ newest, random }) => {
    const path = join(newest, files[random.integer(3)]);
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(1 + random.integer(64))]));
  },
  'missing file': ({ newest, random }) => rmSync(join(newest, files[random.integer(3)])),
  'swapped files': ({ newest, previous, random }) => {
    if (random.uniform() < 0.5) {
      const [a, b] = tensorFiles.map((file) => join(newest, file));
      renameSync(a, `${a}.x`);
      renameSync(b, a);
      renameSync(`${a}.x`, b);
    } else {
      const file = files[random.integer(3)];
      cpSync(join(previous, file), join(newest, file));
    }
  },
  link: ({ newest, random }) => {
    const path = join(newest, files[random.integer(3)]);
    rmSync(path);
    symlinkSync(random.uniform() < 0.5 ? '/dev/zero' : '../../../../etc/passwd', path);
  },
  'hostile lengths (sealed)': ({ newest, random }) => {
    const file = tensorFiles[random.integer(2)];
    const bytes = readFileSync(join(newest, file));
    const length = [2n ** 64n - 1n, 2n ** 40n, 0n, 1n, BigInt(random.integer(bytes.length))];
    bytes.writeBigUInt64LE(length[random.integer(length.length)], 0);
    writeFileSync(join(newest, file), bytes);
    reseal(join(newest, 'checkpoint.json'), (manifest) => {
      manifest.files[file] = { bytes: bytes.length, sha256: sha256(bytes) };
      return manifest;
    });
  },
  'header (sealed)': ({ newest, random }) => {
    const file = tensorFiles[random.integer(2)];
    const before = readFileSync(join(newest, file));
    const header = 8 + Number(before.readBigUInt64LE(0));
    let bytes = scramble(before, random, header);
    if (random.uniform() < 0.7) {
      const text = JSON.stringify(mutate(JSON.parse(before.subarray(8, header)), random));
      const start = Buffer.alloc(8);
      start.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
      bytes = Buffer.concat([start, Buffer.from(text), before.subarray(header)]);
    }
    writeFileSync(join(newest, file), bytes);
    reseal(join(newest, 'checkpoint.json'), (manifest) => {
      manifest.files[file] = { bytes: bytes.length, sha256: sha256(bytes) };
      return manifest;
    });
  },
  'state (sealed)': ({ newest, random }) =>
    reseal(join(newest, 'checkpoint.json'), (manifest) => mutate(manifest, random)),
  'paths and sizes (sealed)': ({ newest, random }) =>
    reseal(join(newest, 'checkpoint.json'), (manifest) => {
      const [file] = tensorFiles;
      const choices = [
        { ...manifest.files, '../../../x': manifest.files[file] },
        { [`../${file}`]: manifest.files[file], [tensorFiles[1]]: manifest.files[tensorFiles[1]] },
        { ...manifest.files, [file]: { ...manifest.files[file], bytes: 2 ** 52 } },
        { ...manifest.files, [file]: { ...manifest.files[file], bytes: -1 } },
      ];
      return { ...manifest, files: choices[random.integer(choices.length)] };
    }),
};

/**
 * Reads `count` damaged checkpoints.
 *
 * @returns how often each thing came of it, and the most resident memory beyond that before
 */
export async function fuzz({ count, seed }) {
  await openBackend('cpu');
  const random = resumeRandom(randomState(seed, 'fuzz'));
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-fuzz-'));
  const run = smallRun({ optimizer: 'adam', strategy: 'moco' });
  const values = () =>
    Buffer.concat(run.weights().map(([, tensor]) => Buffer.from(tensor.dataSync().slice().buffer)));
  try {
    const sound = join(folder, 'sound');
    const checkpoints = new Checkpoints(sound);
    for (let epoch = 1; epoch <= 2; epoch += 1) {
      await run.trainer.fit(run.data, { epochs: 1, callbacks: [checkpoints.callback()] });
    }
    const names = readdirSync(sound).sort();
    const restored = [];
    for (const name of names) {
      const alone = join(folder, 'alone');
      rmSync(alone, { recursive: true, force: true });
      cpSync(join(sound, name), join(alone, name), { recursive: true });
      await new Checkpoints(alone).restore(run.trainer);
      restored.push(values());
    }
    const counts = {};
    const before = process.memoryUsage().rss;
    let most = 0;
    for (let index = 0; index < count; index += 1) {
      const kind = Object.keys(kinds)[index % Object.keys(kinds).length];
      const copy = join(folder, 'damaged');
      rmSync(copy, { recursive: true, force: true });
      cpSync(sound, copy, { recursive: true });
      kinds[kind]({ newest: join(copy, names[1]), previous: join(copy, names[0]), random });
      let warned = false;
      let outcome;
      try {
        const checkpoints = new Checkpoints(copy, { onDamaged: () => (warned = true) });
        await checkpoints.restore(run.trainer);
        const now = values();
        outcome = warned ? 'previous' : 'newest';
        const expected = restored[warned ? 0 : 1];
        // With checksums made to fit, only numbers may have changed.
        if (!now.equals(expected) && !kind.includes('sealed')) {
          throw new Error(`Damage ${index} (${kind}) was loaded in silence.`);
        }
      } catch (error) {
        if (!MultigradError.isInstance(error)) {
          throw new Error(`Damage ${index} (${kind}): ${error.stack}`, { cause: error });
        }
        outcome = `error ${error.code}`;
      }
      counts[`${kind}: ${outcome}`] = (counts[`${kind}: ${outcome}`] ?? 0) + 1;
      most = Math.max(most, process.memoryUsage().rss - before);
    }
    if (most > 300e6) throw new Error(`Reading took ${most} bytes of memory.`);
    return { count, counts, mebibytes: Math.round(most / 2 ** 20) };
  } finally {
    run.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}
