// Reads files that are spoilt, of every format that a reader of ours takes: each is read, or refused by name.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {
  Checkpoints,
  decodeSafetensors,
  encodeSafetensors,
  float32Tensor,
} from '../../packages/checkpoint/dist/index.js';
import { openManifest } from '../../packages/checkpoint/dist/manifest.js';
import { importWeights, modelFolder } from '../../packages/checkpoint/dist/model-files/index.js';
import { checkConfig } from '../../packages/cli/dist/runs/config.js';
import { readRecords } from '../../packages/cli/dist/runs/record-file.js';
import { lineShapes } from '../../packages/cli/dist/runs/record-shapes.js';
import { assertShape } from '../../packages/cli/dist/runs/shape.js';
import { MultigradError, randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { nodeFiles } from '../../packages/core/dist/files/index.js';
import { findClips, readList } from '../../packages/datasets/dist/clip-list.js';
import { decodeImage, loadDecoder } from '../../packages/datasets/dist/decode-image.js';
import { parseDigits } from '../../packages/datasets/dist/mnist.js';
import { parseIdx } from '../../packages/datasets/dist/idx.js';
import { readMnist } from '../../packages/datasets/dist/read-mnist.js';
import { parseWav } from '../../packages/datasets/dist/wav.js';
import { tryCases } from './cases.mjs';
import { mutate, pick, scramble, sha256 } from './damage.mjs';
import { newFolder, watchMemory } from './scratch.mjs';
import { openBackend, smallRun } from './small-run.mjs';

/** Bytes that lengths and sizes are made of. */
const edges = [0, 1, 2, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** Wrong bits, an end that is missing or too late, parts that are doubled, numbers at the edges of their types. */
function spoil(bytes, random) {
  const copy = Buffer.from(bytes);
  const at = random.integer(copy.length);
  switch (random.integer(6)) {
    case 0:
      return copy.subarray(0, at);
    case 1:
      return Buffer.concat([copy, Buffer.alloc(1 + random.integer(64), random.integer(256))]);
    case 2: {
      const wide = Math.max(0, Math.min(at, 64, copy.length - 4));
      if (copy.length >= 4)
        copy[random.uniform() < 0.5 ? 'writeUInt32LE' : 'writeUInt32BE'](pick(edges, random), wide);
      return copy;
    }
    case 3: {
      const end = Math.min(copy.length, at + 1 + random.integer(32));
      return Buffer.concat([copy.subarray(0, end), copy.subarray(at)]);
    }
    case 4:
      return scramble(copy, random, 64);
    default:
      return scramble(copy, random);
  }
}

const odd = [
  ...[null, -1, 0, 1.5, 2 ** 31, 2 ** 53, 1e308, true, '', '__proto__', '../../x', '/etc/passwd'],
  ...[
    '\u001b[2J',
    [],
    {},
    [[]],
    { length: -1 },
    'F32',
    'x'.repeat(5000),
    [2 ** 40, 2 ** 40],
    [0, 2 ** 52],
  ],
];

/** A text of JSON with odd values, or with wrong bytes. */
function spoilJson(text, random) {
  if (random.uniform() < 0.3) return spoil(Buffer.from(text), random);
  return Buffer.from(JSON.stringify(mutate(JSON.parse(text), random, odd)) ?? '');
}

function wav() {
  const bytes = Buffer.alloc(44 + 64);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + 64, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(8000, 24);
  bytes.writeUInt32LE(16_000, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(64, 40);
  return bytes;
}

/** An IDX file of zeros. */
function idx(...shape) {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header[2] = 8;
  header[3] = shape.length;
  shape.forEach((size, axis) => header.writeUInt32BE(size, 4 + 4 * axis));
  return Buffer.concat([header, Buffer.alloc(shape.reduce((a, b) => a * b))]);
}

/** The text of a checkpoint's manifest, without its checksum. */
async function manifest(folder) {
  const run = smallRun({ optimizer: 'adam', strategy: 'moco' });
  const checkpoints = new Checkpoints(folder);
  try {
    await run.trainer.fit(run.data, { epochs: 1, callbacks: [checkpoints.callback()] });
  } finally {
    run.dispose();
  }
  const [name] = readdirSync(folder);
  const value = JSON.parse(readFileSync(join(folder, name, 'checkpoint.json'), 'utf8'));
  delete value.sha256;
  return JSON.stringify(value);
}

const epoch = JSON.stringify({
  ...{ line: 0, epoch: 1, step: 2, train: { a: { loss: 1, accuracy: 0.5 } } },
  ...{ test: { a: { loss: 1, accuracy: 0.5 } }, conflicts: { g: { seen: 2, conflicting: 1 } } },
  ...{ stepTime: { plain: 1, observed: null }, seconds: { training: 1, evaluation: 1 } },
});
const config = JSON.stringify({
  ...{ format: 1, version: '1', command: 'compare', recipe: 'cg-mnist' },
  ...{ strategies: ['sum', 'mgda'], seeds: [0, 1] },
  settings: { epochs: 2, lr: '0.01,0.1' },
});

/** The formats: a sound file, how it is spoilt, and who reads it. */
async function formats(folder) {
  const path = (name) => join(folder, name);
  const write = (name, bytes) => {
    writeFileSync(path(name), bytes);
    return path(name);
  };
  const weights = encodeSafetensors([
    ['dense/kernel', float32Tensor([2, 3], [1, 2, 3, 4, 5, 6])],
    ['dense/bias', float32Tensor([3], [1, 2, 3])],
  ]);
  const header = 8 + Number(Buffer.from(weights).readBigUInt64LE(0));
  const spoilWeights = (bytes, random) => {
    if (random.uniform() < 0.5) return spoil(bytes, random);
    const text = spoilJson(Buffer.from(bytes).subarray(8, header).toString(), random);
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([start, text, Buffer.from(bytes).subarray(header)]);
  };
  const kernel = tf.variable(tf.zeros([2, 3]));
  const bias = tf.variable(tf.zeros([3]));
  const named = new Map([
    ['dense/kernel', kernel],
    ['dense/bias', bias],
  ]);
  const model = path('model');
  mkdirSync(model);
  writeFileSync(join(model, 'weights.bin'), Buffer.alloc(36));
  const modelJson = JSON.stringify({
    modelTopology: { class_name: 'Sequential', config: { layers: [] } },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: [
          { name: 'kernel', shape: [2, 3], dtype: 'float32' },
          { name: 'bias', shape: [3], dtype: 'float32' },
        ],
      },
    ],
  });
  const pixels = { width: 8, height: 6, channels: 3, background: { r: 9, g: 99, b: 200 } };
  const decoder = await loadDecoder();
  const maker = createRequire(import.meta.url)('sharp');
  const [png, jpeg] = await Promise.all([
    maker({ create: pixels }).png().toBuffer(),
    maker({ create: pixels }).jpeg().toBuffer(),
  ]);
  const picture = async (bytes) =>
    decodeImage(decoder, write('picture.png', bytes), { size: 4, random: null });
  const layout = { title: 'Clips', source: 'x', folder, sounds: 'sounds', frames: 'frames' };
  const gzip = (await import('node:zlib')).gzipSync;
  mkdirSync(path('mnist'));
  for (const [name, bytes] of [
    ['train-labels-idx1-ubyte', idx(3)],
    ['t10k-images-idx3-ubyte', idx(3, 28, 28)],
    ['t10k-labels-idx1-ubyte', idx(3)],
  ]) {
    writeFileSync(join(path('mnist'), name), bytes);
  }
  for (const name of ['one', 'two', 'three']) {
    mkdirSync(join(folder, 'frames', name), { recursive: true });
    mkdirSync(join(folder, 'sounds'), { recursive: true });
    writeFileSync(join(folder, 'frames', name, '1.png'), png);
    writeFileSync(join(folder, 'sounds', `${name}.wav`), wav());
  }
  return {
    safetensors: { sound: weights, spoil: spoilWeights, read: (bytes) => decodeSafetensors(bytes) },
    'weights into a network': {
      sound: weights,
      spoil: spoilWeights,
      read: (bytes) => importWeights(bytes, named),
    },
    'manifest of a checkpoint': {
      sound: Buffer.from(await manifest(path('checkpoints'))),
      spoil: (bytes, random) => {
        const text = spoilJson(bytes.toString(), random);
        try {
          const value = JSON.parse(text);
          if (typeof value === 'object' && value !== null)
            return Buffer.from(JSON.stringify({ ...value, sha256: sha256(JSON.stringify(value)) }));
        } catch {
          // It is no JSON any longer.
        }
        return text;
      },
      // Its caller puts the folder's name before what is wrong.
      read: (bytes) => {
        try {
          openManifest(bytes.toString());
        } catch (error) {
          if (error.constructor !== Error && !(error instanceof SyntaxError)) throw error;
          throw new MultigradError('invalid-data', error.message);
        }
      },
    },
    'model.json': {
      sound: Buffer.from(modelJson),
      spoil: (bytes, random) => spoilJson(bytes.toString(), random),
      read: async (bytes) => {
        writeFileSync(join(model, 'model.json'), bytes);
        await modelFolder(model).load();
      },
    },
    wav: { sound: wav(), spoil, read: (bytes) => parseWav(bytes, 'x.wav') },
    idx: { sound: idx(3, 4, 4), spoil, read: (bytes) => parseIdx(bytes, 'x') },
    digits: {
      sound: idx(3, 28, 28),
      spoil,
      read: (bytes) => parseDigits({ bytes, where: 'images' }, { bytes: idx(3), where: 'labels' }),
    },
    'idx in gzip': {
      sound: gzip(idx(3, 28, 28)),
      spoil,
      read: async (bytes) => {
        writeFileSync(join(path('mnist'), 'train-images-idx3-ubyte.gz'), bytes);
        await readMnist({ folder: path('mnist') });
      },
    },
    png: { sound: png, spoil, read: picture },
    jpeg: { sound: jpeg, spoil, read: picture },
    'list of clips (csv)': {
      sound: Buffer.from('one,ANG\ntwo,SAD\r\n\nthree,HAP\n'),
      spoil: (bytes, random) =>
        random.uniform() < 0.2
          ? Buffer.from(
              `${pick(['../../x', '/etc/passwd', '\u001b[2J', '\0', '..', 'a/b'], random)},ANG\n`,
            )
          : spoil(bytes, random),
      read: async (bytes) => {
        write('list.csv', bytes);
        await findClips(layout, await readList(layout, 'list.csv'), ['ANG', 'SAD', 'HAP'], 1);
      },
    },
    'records (jsonl)': {
      sound: Buffer.from(`${epoch}\n${epoch}\n`),
      spoil: (bytes, random) =>
        random.uniform() < 0.5
          ? Buffer.concat([spoilJson(epoch, random), Buffer.from('\n')])
          : spoil(bytes, random),
      read: async (bytes) => {
        const { records } = await readRecords(nodeFiles, write('epochs.jsonl', bytes));
        for (const record of records) assertShape(record, lineShapes.epochs, 'epochs.jsonl');
      },
    },
    'config.json': {
      sound: Buffer.from(config),
      spoil: (bytes, random) =>
        Buffer.from(JSON.stringify(mutate(JSON.parse(bytes), random, odd)) ?? 'null'),
      read: (bytes) => checkConfig(JSON.parse(bytes), 'config.json'),
    },
  };
}

/**
 * Reads the spoilt files `from` to `from + count - 1` of each format. Each is made of the seed and its number alone.
 *
 * @param only - one format alone
 * @returns how many were tried in each format and in all; how many were read, and how many refused, in each; which were
 *   not refused by name; and the most resident memory beyond that before
 */
export async function hostileFiles({ seed, only, ...range }) {
  await openBackend('cpu');
  const folder = newFolder('hostile-files');
  try {
    const counts = {};
    const failures = [];
    let [tried, mebibytes] = [0, 0];
    for (const [name, { sound, spoil: change, read }] of Object.entries(await formats(folder))) {
      if (only !== undefined && only !== name) continue;
      const count = (what) => (counts[`${name}: ${what}`] = (counts[`${name}: ${what}`] ?? 0) + 1);
      const memory = watchMemory(Math.min(100, range.count >> 3));
      const found = await tryCases(`hostile files, ${name}`, range, async (index) => {
        memory.look();
        const random = resumeRandom(randomState(seed, 'hostile files', name, index));
        const bytes = change(sound, random);
        try {
          await read(bytes);
          count('read');
        } catch (error) {
          if (!MultigradError.isInstance(error)) {
            const hex = Buffer.from(bytes).subarray(0, 200).toString('hex');
            throw new Error(`${name}: ${error.stack}\n${hex}`, { cause: error });
          }
          count('refused');
        }
      });
      failures.push(...found.failures);
      tried += found.tried;
      mebibytes = Math.max(mebibytes, memory.most());
    }
    return { counts, tried, failures, mebibytes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
