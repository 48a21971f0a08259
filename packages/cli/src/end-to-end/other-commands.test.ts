import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors } from '@multigrad/checkpoint';
import { modelFolder } from '@multigrad/checkpoint/model-files';
import { registerLayers } from '@multigrad/models';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import type { Findings } from '../backends/examine.ts';
import { Program, tiny } from '../testing/program.ts';
import '@tensorflow/tfjs-backend-cpu';

let program: Program;

beforeAll(() => {
  program = new Program();
});

afterAll(() => program.dispose());

describe('multigrad doctor', () => {
  it('tests the gradients of every backend in a process that has loaded nothing else', async () => {
    const { code, out } = await program.start(['doctor', '--json']);
    expect(code).toBe(0);
    const { backends } = JSON.parse(out) as Findings;
    for (const name of ['wasm', 'cpu']) {
      const found = backends.find((backend) => backend.name === name)!;
      expect(found.failure, name).toBeNull();
      expect(found.test!.gradientError, name).toBeLessThan(1e-5);
    }
  });
});

describe('multigrad cite and native', () => {
  it.each([
    [['cite'], '@'],
    [['cite', 'mmpareto'], '2405.17730'],
    [['native', 'list'], ''],
  ])('%j', async (args, text) => {
    const { code, out, err } = await program.start(args);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain(text);
  });
});

describe('multigrad analyze', () => {
  it('draws gradients at fixed weights and the loss landscape, and writes their numbers', async () => {
    const { code, err } = await program.start([
      'analyze',
      'av-digits',
      '--strategies',
      'sum',
      ...tiny,
      '--batches',
      '2',
      '--grid',
      '3',
      '--landscape-size',
      '64',
      '--out',
      'analysis',
    ]);
    expect(err).toBe('');
    expect(code).toBe(0);
    const html = program.text('analysis', 'report.html');
    for (const id of ['gradient-size', 'gradient-covariance', 'landscape'])
      expect(html).toContain(`<section id="${id}">`);
    expect(html).toContain('multigrad analyze av-digits --strategies sum');
    for (const file of ['cosines.csv', 'gradients.csv', 'landscape.csv']) {
      const table = program.text('analysis', file).trim().split('\r\n');
      expect(table.length).toBeGreaterThan(3);
      expect(table.every((line) => line.split(',').length === table[0]!.split(',').length)).toBe(
        true,
      );
    }
    const records = program.lines('analysis', 'runs', 'sum-seed0', 'analysis.jsonl');
    expect(records.map(({ kind }) => kind)).toEqual(['gradients', 'gradients', 'landscape']);
    // The folder says that it is an analysis: it goes on as one.
    expect(program.json('analysis', 'config.json')).toMatchObject({ command: 'analyze' });
    rmSync(program.path('analysis', 'runs', 'sum-seed0'), { recursive: true });
    const resumed = await program.start(['resume', 'analysis']);
    expect(resumed).toMatchObject({ code: 0, err: '' });
    expect(program.lines('analysis', 'runs', 'sum-seed0', 'analysis.jsonl').length).toBe(3);
  });
});

describe('multigrad compare with data of the user’s own', () => {
  it('trains clothing and digit from a folder of four files, and says what is wrong with another', async () => {
    const file = (count: number, side: number): Uint8Array => {
      const bytes = Uint8Array.from({ length: 16 + count * side * side }, (_, i) => (i * i) % 251);
      const view = new DataView(bytes.buffer);
      [0x0803, count, side, side].forEach((value, k) => view.setUint32(4 * k, value));
      return bytes;
    };
    const labels = (count: number): Uint8Array => {
      const bytes = Uint8Array.from({ length: 8 + count }, (_, i) => i % 10);
      const view = new DataView(bytes.buffer);
      [0x0801, count].forEach((value, k) => view.setUint32(4 * k, value));
      return bytes;
    };
    mkdirSync(program.path('fashion'));
    for (const [name, count] of [
      ['train', 200],
      ['t10k', 64],
    ] as const) {
      writeFileSync(program.path('fashion', `${name}-images-idx3-ubyte`), file(count, 28));
      writeFileSync(program.path('fashion', `${name}-labels-idx1-ubyte`), labels(count));
    }
    const own = tiny.filter((_, k) => !['--width', '4'].includes(tiny[k]!));
    const args = ['compare', 'fashion-and-digit', '--strategies', 'sum', ...own];
    const sizes = ['--validation-size', '20', '--data', 'fashion', '--out', 'clothes'];
    const { code, out, err } = await program.start([...args, ...sizes]);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/^Sum +\d/m);
    expect(out).toContain('left');
    writeFileSync(
      program.path('fashion', 'train-images-idx3-ubyte'),
      file(200, 28).subarray(0, 1000),
    );
    const cut = await program.start([...args, ...sizes.slice(0, -1), 'cut']);
    expect(cut.code).toBe(1);
    expect(cut.err).toContain('train-images-idx3-ubyte: expected 156800 elements');
    expect(cut.err).toContain('the file is cut short');
  });
});

describe('multigrad check', () => {
  it('finds the gradients of every variable right', async () => {
    const { code, out, err } = await program.start([
      'check',
      'cg-mnist',
      ...tiny,
      '--batch-size',
      '16',
      '--samples',
      '1',
    ]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /CG-MNIST on \w+: \d+ gradients of \d+ variables checked at 1 entry each; all agree/,
    );
  });
});

describe('multigrad export', () => {
  it('writes the trained network for TensorFlow.js, part by part, and its weights for Python', async () => {
    const trained = ['train', 'av-digits', '--strategy', 'sum', ...tiny, '--out', 'trained'];
    expect((await program.start(trained)).code).toBe(0);
    const { code, out, err } = await program.start(['export', 'trained', '--to', 'exported']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('sum-seed0 after step 2, into exported:');
    const folders = [
      ...['encoder-audio', 'encoder-image', 'fusion'],
      ...['head-audio', 'head-image', 'head-multimodal', 'network'],
    ];
    expect(readdirSync(program.path('exported')).sort()).toEqual([
      ...folders,
      'weights.safetensors',
    ]);
    const newest = readdirSync(program.path('trained', 'runs', 'sum-seed0', 'checkpoints')).at(-1)!;
    const kept = decodeSafetensors(
      readFileSync(
        program.path('trained', 'runs', 'sum-seed0', 'checkpoints', newest, 'weights.safetensors'),
      ),
    ).tensors;
    const { tensors } = decodeSafetensors(
      readFileSync(program.path('exported', 'weights.safetensors')),
    );
    expect(tensors.size).toBe(kept.size);
    for (const [name, { bytes }] of kept) {
      expect(tensors.get(name.replace(/^(weights|statistics)\//, ''))!.bytes).toEqual(bytes);
    }
    await tf.setBackend('cpu');
    registerLayers();
    await expectConstantMemory(async () => {
      const load = (name: string) => loadLayersModel(modelFolder(program.path('exported', name)));
      const models = await Promise.all(folders.map(load));
      const [audio, image, fusion, , , head, network] = models as [
        ...[LayersModel, LayersModel, LayersModel],
        ...[LayersModel, LayersModel, LayersModel, LayersModel],
      ];
      tf.tidy(() => {
        const inputs = [
          tf.randomUniform([2, 28, 28, 1], 0, 1, 'float32', 1),
          tf.randomUniform([2, 32, 32, 1], 0, 1, 'float32', 2),
        ];
        // The parts put together are the whole.
        const [whole] = network.predict(inputs) as [tf.Tensor];
        const features = [image.predict(inputs[0]!), audio.predict(inputs[1]!)] as tf.Tensor[];
        const logits = head.predict(fusion.predict(features)) as tf.Tensor;
        expect(logits.dataSync()).toEqual(whole.dataSync());
      });
      for (const model of models) model.dispose();
    });
    const again = await program.start(['export', 'trained', '--to', 'exported']);
    expect(again.code).toBe(1);
    expect(again.err).toContain('The folder exported is not empty.');
  });

  it('says which run it wants, and where there is nothing to export', async () => {
    const two = ['compare', 'cg-mnist', '--strategies', 'sum,mgda', ...tiny, '--out', 'two'];
    expect((await program.start(two)).code).toBe(0);
    const which = await program.start(['export', 'two', '--to', 'none']);
    expect(which.code).toBe(1);
    expect(which.err).toContain(`name one: ${join('two', 'runs', 'sum-seed0')}, `);
    const one = join('two', 'runs', 'mgda-seed0');
    expect((await program.start(['export', one, '--to', 'one'])).code).toBe(0);
    rmSync(program.path(one, 'checkpoints'), { recursive: true });
    mkdirSync(program.path(one, 'checkpoints'));
    const none = await program.start(['export', one, '--to', 'none']);
    expect(none.err).toContain('The run mgda-seed0 has no checkpoint yet.');
    expect(existsSync(program.path('none'))).toBe(false);
  });
});
