import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import { useBackend } from '@multigrad/backends';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerLayers } from './register-layers.ts';

const x = [-6, -2, -1, -0.1, 0, 0.3, 1, 2.5];

/** x Φ(x), the normal distribution function by the trapezoidal rule. */
function gelu(value: number): number {
  const [start, steps] = [-12, 6000];
  const width = (value - start) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i += 1) {
    sum += (i === 0 || i === steps ? 0.5 : 1) * Math.exp(-((start + i * width) ** 2) / 2);
  }
  return (value * sum * width) / Math.sqrt(2 * Math.PI);
}

describe.each(testedBackends())('gelu on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerLayers();
  });

  it('is one kernel each way behind the activation of tf.layers, saved under its name', async () => {
    const layer = tfl.layers.dense({
      units: x.length,
      activation: 'gelu',
      kernelInitializer: 'identity',
    });
    expect(layer.getConfig()['activation']).toBe('gelu');
    const input = tf.variable(tf.tensor2d([x]));
    layer.apply(input);
    const found = await expectConstantMemory(async () => {
      const values: number[][] = [];
      const { kernelNames, result } = await tf.profile(() => {
        const { value, grads } = tf.variableGrads(() => {
          const y = layer.apply(input) as tf.Tensor;
          values.push([...y.dataSync()]);
          return tf.sum<tf.Scalar>(y);
        }, [input]);
        values.push([...grads[input.name]!.dataSync()]);
        tf.dispose(grads);
        return value;
      });
      tf.dispose(result);
      expect(kernelNames).toContain('Gelu');
      expect(kernelNames).toContain('GeluGrad');
      expect(kernelNames).not.toContain('Erf');
      return values;
    });
    x.forEach((at, i) => {
      expect(found[0]![i]).toBeCloseTo(gelu(at), 5);
      expect(found[1]![i]).toBeCloseTo((gelu(at + 1e-4) - gelu(at - 1e-4)) / 2e-4, 4);
    });
    layer.dispose();
    input.dispose();
  });
});
