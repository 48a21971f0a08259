import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders, nodeFiles, replaceDurably } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError } from '@multigrad/core/support';
import { io } from '@tensorflow/tfjs-core';

const modelFile = 'model.json';
const weightsFile = 'weights.bin';

/**
 * Keeps a model in a folder as TensorFlow.js's own files: `model.json` and `weights.bin`, as `tf.LayersModel.save` and
 * `tf.loadLayersModel` take it. Node without the native backend has no such handler of its own.
 *
 * @remarks
 * Each file is written whole or not at all, the weights first. Models that the converter wrote in several shards are read
 * too.
 *
 * @throws MultigradError when saving or loading, `io` where the folder cannot be written or read, `invalid-data` where
 *   it holds no model, `unsupported` for a model whose topology is not JSON
 *
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { modelFolder } from '@multigrad/checkpoint/model-files';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
 *
 * const model = sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] });
 * const folder = modelFolder(join(mkdtempSync(join(tmpdir(), 'example-')), 'model'));
 * await model.save(folder);
 * const again = await loadLayersModel(folder);
 * const [one, two] = [model, again].map((m) => (m.predict(tf.ones([1, 3])) as tf.Tensor).dataSync());
 * console.log(one![0] === two![0]); // true
 * ```
 */
export function modelFolder(path: string): io.IOHandler {
  return { save: (artifacts) => save(path, artifacts), load: () => load(path) };
}

async function replaceFile(path: string, data: string | Uint8Array): Promise<void> {
  try {
    await replaceDurably(nodeFiles, path, data);
  } catch (cause) {
    throw ioError(`write ${path}`, cause);
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw ioError(`read ${path}`, cause);
  }
}

async function save(path: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  if (artifacts.modelTopology instanceof ArrayBuffer) {
    throw new MultigradError('unsupported', 'The topology of a model should be JSON. Found bytes.');
  }
  try {
    await makeFolders(nodeFiles, path);
  } catch (cause) {
    throw ioError(`write to ${path}`, cause);
  }
  const weights = io.CompositeArrayBuffer.join(artifacts.weightData);
  const manifest = [{ paths: [weightsFile], weights: artifacts.weightSpecs ?? [] }];
  await replaceFile(join(path, weightsFile), new Uint8Array(weights));
  // All but the weights is JSON already; what is undefined is left out.
  const weightless = { ...artifacts, weightSpecs: undefined, weightData: undefined };
  const json = { ...weightless, weightsManifest: manifest };
  await replaceFile(join(path, modelFile), `${JSON.stringify(json)}\n`);
  return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
}

async function load(path: string): Promise<io.ModelArtifacts> {
  const file = join(path, modelFile);
  let json: Partial<io.ModelJSON> | null;
  try {
    json = JSON.parse(readFile(file).toString('utf8')) as Partial<io.ModelJSON> | null;
  } catch (cause) {
    if (MultigradError.isInstance(cause)) throw cause;
    throw new MultigradError('invalid-data', `${file} is not JSON: ${String(cause)}`, { cause });
  }
  const manifest = json?.weightsManifest;
  const paths = isManifest(manifest) ? manifest.flatMap(({ paths: own }) => own) : null;
  // All files of a model are in its folder: a name that leads out of it is refused.
  const plain = (name: unknown): boolean =>
    typeof name === 'string' && /^[^/\\\0]+$/.test(name) && name !== '.' && name !== '..';
  if (!isRecord(json?.modelTopology) || !paths?.every(plain)) {
    throw new MultigradError(
      'invalid-data',
      `${file} should hold a model of TensorFlow.js: its topology, and weights in files beside it.`,
    );
  }
  return io.getModelArtifactsForJSON(json as io.ModelJSON, (groups) => {
    const specs = groups.flatMap(({ weights }) => weights);
    const data = Buffer.concat(paths.map((name) => readFile(join(path, name))));
    const expected = specs.reduce((sum, spec) => sum + bytesOf(spec), 0);
    if (data.byteLength !== expected) {
      return Promise.reject(
        new MultigradError(
          'invalid-data',
          `The weights of ${file} should be ${expected} bytes. Found ${data.byteLength}.`,
        ),
      );
    }
    return Promise.resolve([specs, new Uint8Array(data).buffer]);
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value of a file is what TensorFlow.js takes for a list of files and the weights in them. */
function isManifest(value: unknown): value is io.WeightsManifestConfig {
  const count = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;
  const isWeight = (weight: unknown): boolean =>
    isRecord(weight) &&
    typeof weight['name'] === 'string' &&
    typeof weight['dtype'] === 'string' &&
    Array.isArray(weight['shape']) &&
    weight['shape'].every(count) &&
    (weight['quantization'] === undefined || isRecord(weight['quantization']));
  const isGroup = (group: unknown): boolean =>
    isRecord(group) &&
    Array.isArray(group['paths']) &&
    Array.isArray(group['weights']) &&
    group['weights'].every(isWeight);
  return Array.isArray(value) && value.every(isGroup);
}

/** Bytes of one weight in the file; strings have lengths of their own, which no layer's weights are. */
function bytesOf({ shape, dtype, quantization }: io.WeightsManifestEntry): number {
  const size = shape.reduce((a, b) => a * b, 1);
  const stored = quantization?.dtype ?? dtype;
  const bytes = { uint8: 1, bool: 1, uint16: 2, float16: 2, complex64: 8 } as Record<
    string,
    number
  >;
  return size * (bytes[stored] ?? 4);
}
