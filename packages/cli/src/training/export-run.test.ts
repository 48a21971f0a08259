import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { modelFolder } from '@multigrad/checkpoint/model-files';
import { saveWithStockLayers } from '@multigrad/models';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireExperiment } from '../experiments/index.ts';
import { type PreparedExperiment, prepareExperiment } from '../experiments/prepare.ts';
import { resolveSettings } from '../experiments/settings.ts';
import { cremaDCopy } from '../testing/crema-d-copy.ts';
import { modelLines } from './export-run.ts';

let folder: string;
let clips: string;

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'multigrad-exports-'));
  clips = await cremaDCopy();
});

afterAll(() => {
  for (const path of [folder, clips]) rmSync(path, { recursive: true });
});

const small = {
  ...{ 'train-size': '6', 'test-size': '6', 'validation-size': '6', 'batch-size': '3' },
};

/** An experiment's network with weights and statistics that are not what it begins with. */
async function prepared(name: string): Promise<PreparedExperiment> {
  const experiment = requireExperiment(name);
  const width = 'width' in experiment.settings ? { width: '4' } : {};
  const data = name === 'crema-d' ? { data: clips, 'frame-size': '32' } : {};
  const settings = resolveSettings(experiment, 'quick', { ...small, ...width, ...data });
  const opened = await prepareExperiment(experiment, settings, 0);
  let seed = 0;
  for (const variable of [...opened.variables.values(), ...opened.statistics.values()]) {
    seed += 1;
    const change = tf.tidy(() => tf.randomUniform(variable.shape, 0.05, 0.15, 'float32', seed));
    variable.assign(tf.tidy(() => tf.add(variable, change)));
    change.dispose();
  }
  return opened;
}

/** A program without multigrad but for what `first` says: it reads a model and predicts. */
const program = (first: string): string => `
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { readFileSync } from 'node:fs';
${first}
const [folder, inputs] = process.argv.slice(1);
await tf.setBackend('cpu');
const { modelTopology, weightsManifest: [{ weights, paths }] } = JSON.parse(readFileSync(folder + '/model.json', 'utf8'));
const bytes = readFileSync(folder + '/' + paths[0]);
const model = await tfl.loadLayersModel(
  tf.io.fromMemory({ modelTopology, weightSpecs: weights, weightData: new Uint8Array(bytes).buffer }),
);
const given = JSON.parse(readFileSync(inputs, 'utf8')).map(({ shape, values }) => tf.tensor(values, shape));
const outputs = [model.predict(given.length === 1 ? given[0] : given)].flat();
process.stdout.write(JSON.stringify(outputs.map((one) => [...one.dataSync()])));
`;

async function predictions(first: string, path: string, inputs: string): Promise<number[][]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', program(first), path, inputs],
    { cwd: import.meta.dirname },
  );
  return JSON.parse(stdout) as number[][];
}

describe('an exported network', () => {
  it.each([
    ['cg-mnist', []],
    ['av-digits', []],
    ['av-digits-transformer', ['MultigradPositionEmbedding', 'MultigradMultiHeadAttention']],
    ['av-digits-mmtm', ['MultigradChannelGate']],
    ['multi-mnist', []],
    // That of multi-mnist-noisy and fashion-and-digit too.
    ['crema-d', ['MultigradFoldFrames', 'MultigradGlobalAverage', 'MultigradUnfoldFrames']],
  ])('of %s predicts in plain TensorFlow.js what it predicts here', async (name, own) => {
    const experiment = await prepared(name);
    const network = experiment.models['network']!;
    const path = join(folder, name);
    const ownLayers = await saveWithStockLayers(network, modelFolder(path));
    expect([...ownLayers].sort()).toEqual([...own].sort());
    const given = network.inputs.map(({ shape }, k) =>
      tf.randomUniform(
        shape.map((size) => size ?? 2),
        0,
        1,
        'float32',
        k + 1,
      ),
    );
    const inputs = `${path}.json`;
    writeFileSync(
      inputs,
      JSON.stringify(given.map((one) => ({ shape: one.shape, values: [...one.dataSync()] }))),
    );
    const expected = tf.tidy(() =>
      [network.predict(given.length === 1 ? given[0]! : given)]
        .flat()
        .map((one) => [...one.dataSync()]),
    );
    const lines = modelLines(new Map([['network', ownLayers]]));
    expect(lines[0]).toBe(`  network/, for tf.loadLayersModel${own.length > 0 ? ' *' : ''}`);
    let first = '';
    if (own.length > 0) {
      // The lines that the command prints are all that is lacking.
      await expect(predictions('', path, inputs)).rejects.toThrow(/Unknown layer: Multigrad/);
      first = lines.slice(-2).join('\n');
    } else expect(lines).toHaveLength(1);
    const found = await predictions(first, path, inputs);
    expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
    found.forEach((numbers, k) => {
      numbers.forEach((value, i) => {
        const right = expected[k]![i]!;
        expect(Math.abs(value - right)).toBeLessThan(1e-6 * (1 + Math.abs(right)));
      });
    });
    tf.dispose(given);
    experiment.dispose();
  });
});
