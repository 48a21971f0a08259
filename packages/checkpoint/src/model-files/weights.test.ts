import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectConstantMemory, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers, type LayersModel, type Sequential, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  float32Tensor,
  type RawTensor,
  rawTensor,
  toFloat32,
} from '../safetensors/index.ts';
import { exportWeights, importWeights, type ImportWeightsOptions } from './weights.ts';

// bench/peers/torch_conv_net.py made it: weights of a network of PyTorch, an input, and what comes of it.
const torchFile = Uint8Array.from(
  readFileSync(join(import.meta.dirname, 'testing/torch-conv-net.safetensors')),
);
const expected = new Map(
  [...decodeSafetensors(torchFile).tensors].flatMap(([name, raw]) =>
    name.startsWith('expected.') ? [[name.slice('expected.'.length), raw] as const] : [],
  ),
);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The same network in TensorFlow.js. */
function network(): LayersModel {
  return sequential({
    layers: [
      layers.zeroPadding2d({ padding: 1, inputShape: [8, 6, 2] }),
      layers.conv2d({ name: 'conv1', filters: 4, kernelSize: 3, strides: 2 }),
      layers.batchNormalization({ name: 'bn1', epsilon: 1e-5 }),
      layers.reLU(),
      layers.depthwiseConv2d({
        name: 'depth',
        kernelSize: 3,
        depthMultiplier: 2,
        padding: 'same',
        activation: 'relu',
      }),
      layers.flatten(),
      layers.dense({ name: 'head', units: 5 }),
    ],
  });
}

const variablesOf = (model: LayersModel): Map<string, tf.Variable> =>
  new Map(
    model.weights.map((weight) => [weight.originalName, weight.read() as unknown as tf.Variable]),
  );

const fromTorch: ImportWeightsOptions = {
  convention: 'torch',
  layouts: { 'head/kernel': { flattened: [8, 4, 3] } },
  ignore: (name) => name.startsWith('expected.'),
  file: 'net.safetensors',
};

function closeTo(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length);
  for (let k = 0; k < wanted.length; k += 1) {
    expect(Math.abs(found[k]! - wanted[k]!)).toBeLessThanOrEqual(1e-5 * (1 + Math.abs(wanted[k]!)));
  }
}

const imageOf = (name: string): tf.Tensor4D => {
  const { shape } = expected.get(name)!;
  const image = tf.tensor4d(
    toFloat32(expected.get(name)!),
    shape as [number, number, number, number],
  );
  return tf.transpose(image, [0, 2, 3, 1]);
};

describe('importWeights', () => {
  it('goes on with a network of PyTorch: same outputs, same loss, same gradients', async () => {
    await expectConstantMemory(async () => {
      const model = network();
      const variables = variablesOf(model);
      importWeights(torchFile, variables, fromTorch);
      tf.tidy(() => {
        const input = imageOf('input');
        const target = tf.tensor2d(toFloat32(expected.get('target')!), [3, 5]);
        const output = model.predict(input) as tf.Tensor2D;
        closeTo(output.dataSync(), toFloat32(expected.get('output')!));
        const trained = new Map([...variables].filter(([name]) => !name.includes('moving')));
        const { value, grads } = tf.variableGrads(
          () =>
            tf.losses.meanSquaredError<tf.Tensor, tf.Scalar>(
              target,
              model.apply(input) as tf.Tensor,
            ),
          [...trained.values()],
        );
        closeTo(value.dataSync(), toFloat32(expected.get('loss')!));
        // The gradients come back under PyTorch's names and in its layouts.
        for (const [name, variable] of trained)
          trained.set(name, grads[variable.name] as tf.Variable);
        gradients = new Map([...trained].map(([name, gradient]) => [name, tf.keep(gradient)]));
      });
      const file = await exportWeights(gradients, {
        convention: 'torch',
        layouts: fromTorch.layouts!,
      });
      tf.dispose([...gradients.values()]);
      const { tensors } = decodeSafetensors(file);
      expect([...tensors.keys()].sort()).toEqual(
        ['bn1', 'conv1', 'depth', 'head'].flatMap((layer) => [`${layer}.bias`, `${layer}.weight`]),
      );
      for (const [name, gradient] of tensors) {
        const wanted = expected.get(`gradient.${name}`)!;
        expect(gradient.shape).toEqual(wanted.shape);
        closeTo(toFloat32(gradient), toFloat32(wanted));
      }
      model.dispose();
    });
  });
  let gradients: ReadonlyMap<string, tf.Tensor>;

  it('writes what PyTorch wrote, to the last bit', async () => {
    await expectConstantMemory(async () => {
      const model = network();
      const variables = variablesOf(model);
      importWeights(torchFile, variables, fromTorch);
      const { layouts } = fromTorch;
      const file = await exportWeights(variables, { convention: 'torch', layouts: layouts! });
      const { tensors } = decodeSafetensors(file);
      expect(tensors.size).toBe(10);
      for (const [name, tensor] of decodeSafetensors(torchFile).tensors) {
        if (/^expected\.|num_batches_tracked$/.test(name)) continue;
        expect(tensors.get(name), name).toEqual(tensor);
      }
      model.dispose();
    });
  });

  it('lists everything that does not fit in one message, and changes nothing', async () => {
    await expectConstantMemory(() => {
      const model = network();
      const variables = variablesOf(model);
      const before = [...variables.values()].map((variable) => variable.dataSync());
      const read = decodeSafetensors(torchFile).tensors;
      const tensors = new Map<string, RawTensor>(
        [...read].filter(([name]) => !name.startsWith('expected.')),
      );
      tensors.set('conv1.wieght', tensors.get('conv1.weight')!);
      tensors.delete('conv1.weight');
      tensors.set('bn1.bias', float32Tensor([5], [1, 2, 3, 4, 5]));
      tensors.set('depth.bias', rawTensor('I32', [8], new Int32Array(8)));
      tensors.set('extra', float32Tensor([], [1]));
      expect(() => importWeights(encodeSafetensors(tensors), variables, fromTorch)).toThrow(
        expect.objectContaining({
          code: 'invalid-data',
          message: [
            'net.safetensors does not fit the network:',
            '  missing: `conv1/kernel` (`conv1.weight` in the file); it has `conv1.wieght`',
            '  `bn1/beta` (`bn1.bias` in the file): expected [4], found [5]',
            '  `depth/bias` (`depth.bias` in the file): expected float32, found I32',
            '  unexpected: `conv1.wieght`',
            '  unexpected: `extra`',
          ].join('\n'),
        }) as Error,
      );
      // Without the layout of its flattening the kernel would fit by its shape, so that is for the caller to say.
      tensors.set('conv1.weight', float32Tensor([4, 2, 3, 3], new Float32Array(72).fill(NaN)));
      for (const name of ['conv1.wieght', 'extra']) tensors.delete(name);
      tensors.set('bn1.bias', read.get('bn1.bias')!);
      tensors.set('depth.bias', read.get('depth.bias')!);
      expect(() => importWeights(encodeSafetensors(tensors), variables, fromTorch)).toThrow(
        'net.safetensors should hold finite float32 numbers. Found NaN in `conv1/kernel` at 0.',
      );
      expect(() => importWeights(torchFile.subarray(0, 100), variables, fromTorch)).toThrow(
        'net.safetensors should',
      );
      expect([...variables.values()].map((variable) => variable.dataSync())).toEqual(before);
      model.dispose();
    });
  });

  it('takes names from a record or a function, and refuses names that no variable has', async () => {
    await expectConstantMemory(async () => {
      const kernel = variableOf(() => tf.tensor2d([[1, 2, 3]]));
      const count = variableOf(() => tf.tensor1d([7, 8], 'int32'));
      const variables = new Map<string, tf.Variable>([
        ['head/kernel', kernel],
        ['count', count],
      ]);
      for (const names of [
        { 'head/kernel': 'fc.weight' },
        (name: string) => (name === 'count' ? name : 'fc.weight'),
      ]) {
        const file = await exportWeights(variables, { convention: 'torch', names });
        const { tensors } = decodeSafetensors(file);
        expect(tensors.get('fc.weight')!.shape).toEqual([3, 1]);
        tf.tidy(() => kernel.assign(tf.zeros([1, 3])));
        tf.tidy(() => count.assign(tf.zeros([2], 'int32')));
        importWeights(file, variables, { convention: 'torch', names });
        expect([...kernel.dataSync(), ...count.dataSync()]).toEqual([1, 2, 3, 7, 8]);
      }
      const file = await exportWeights(variables);
      const slip = { names: { 'head/kernal': 'fc.weight' } };
      expect(() => importWeights(file, variables, slip)).toThrow('Did you mean `head/kernel`?');
      await expect(exportWeights(variables, { layouts: { head: 'as-is' } })).rejects.toThrow(
        '`layouts` should speak of variables',
      );
      expect(() => importWeights(file, variables, { names: () => 'count' })).toThrow(
        'asked for twice: `count`',
      );
      tf.dispose([kernel, count]);
    });
  });

  it('reads halves, and refuses recurrent kernels, whose gates are in another order', async () => {
    await expectConstantMemory(async () => {
      const weight = variableOf(() => tf.tensor1d([0, 0]));
      const half: RawTensor = { dtype: 'F16', shape: [2], bytes: Uint8Array.of(0, 0x3e, 0, 0xc0) };
      importWeights(encodeSafetensors([['bias', half]]), new Map([['bias', weight]]));
      expect([...weight.dataSync()]).toEqual([1.5, -2]);
      const recurrent = new Map([['gru/recurrent_kernel', weight]]);
      await expect(exportWeights(recurrent, { convention: 'torch' })).rejects.toMatchObject({
        code: 'unsupported',
      });
      weight.dispose();
    });
  });
});

it('takes a model of tf.layers, statistics included, into one of other automatic names', async () => {
  const make = (): Sequential =>
    sequential({
      layers: [layers.dense({ units: 2, inputShape: [3] }), layers.batchNormalization()],
    });
  const [from, to] = [make(), make()];
  const file = await exportWeights(from);
  importWeights(file, to);
  expect(to.layers[0]!.name).not.toBe(from.layers[0]!.name);
  expect(to.getWeights().map((weights) => weights.dataSync())).toEqual(
    from.getWeights().map((weights) => weights.dataSync()),
  );
  expect(to.getWeights()).toHaveLength(6);
  from.dispose();
  to.dispose();
});
