import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { acCircuits, type AcCircuits } from './ac-circuits.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Impedance and phase of the circuit at a position, from its inputs. */
function physics({ inputs }: AcCircuits, i: number): readonly [number, number] {
  const [r, f, l, c] = [...inputs.subarray(4 * i, 4 * i + 4)] as [number, number, number, number];
  const omega = 2 * Math.PI * (20 + 260 * f);
  const x = omega * l - 1 / (omega * (1e-6 + 10e-6 * c));
  return [Math.sqrt((100 * r) ** 2 + x * x), Math.asin(x / Math.sqrt((100 * r) ** 2 + x * x))];
}

describe('acCircuits', () => {
  it('measures impedance and phase of each circuit', () => {
    const { train } = acCircuits({ trainSize: 500, noise: 0, units: 'physical', seed: 4 });
    for (let i = 0; i < train.count; i++) {
      const [impedance, phase] = physics(train, i);
      // Inputs and targets are float32.
      expect(Math.abs(train.targets[2 * i]! / impedance - 1)).toBeLessThan(1e-4);
      expect(Math.abs(train.targets[2 * i + 1]! - phase)).toBeLessThan(1e-4);
    }
  });

  it('has targets of mean 0 and deviation 1, and noise of the share asked for', () => {
    const count = 40_000;
    const [noisy, plain] = [{ noise: 0.5 }, { noise: 0 }].map(
      (options) => acCircuits({ trainSize: count, seed: 2, ...options }).train,
    ) as [AcCircuits, AcCircuits];
    for (const k of [0, 1]) {
      const values = Array.from({ length: count }, (_, i) => plain.targets[2 * i + k]!);
      const noises = values.map((value, i) => noisy.targets[2 * i + k]! - value);
      const mean = (of: readonly number[]) => of.reduce((sum, v) => sum + v, 0) / count;
      const square = (of: readonly number[]) => mean(of.map((v) => v * v));
      // Five standard errors; a square's deviation is at most its mean times √(kurtosis − 1), below 4 here.
      const error = 5 / Math.sqrt(count);
      expect(Math.abs(mean(values))).toBeLessThan(error);
      expect(Math.abs(square(values) - 1)).toBeLessThan(4 * error);
      expect(Math.abs(mean(noises))).toBeLessThan(0.5 * error);
      expect(Math.abs(square(noises) / 0.25 - 1)).toBeLessThan(Math.SQRT2 * error);
    }
  });

  it('keeps a sample whatever the sizes, and makes other sets and seeds otherwise', () => {
    const make = (options: object) => acCircuits({ trainSize: 20, validationSize: 20, ...options });
    const { train, validation, test } = make({ testSize: 20 });
    expect([...make({ trainSize: 30 }).train.targets.subarray(0, 40)]).toEqual([...train.targets]);
    expect(validation!.inputs).not.toEqual(train.inputs);
    expect(test.inputs).not.toEqual(train.inputs);
    expect(make({ seed: 1 }).train.inputs).not.toEqual(train.inputs);
    expect(acCircuits().validation).toBeNull();
    expect(acCircuits().train.count).toBe(2000);
  });

  it('makes batches in the order asked for', async () => {
    await expectConstantMemory(() => {
      const { train } = acCircuits({ trainSize: 5 });
      const batch = train.batch(Int32Array.of(3, 0));
      expect([...batch.circuit.dataSync()]).toEqual(
        [3, 0].flatMap((i) => [...train.inputs.subarray(4 * i, 4 * i + 4)]),
      );
      expect([...batch.impedance.dataSync()]).toEqual([train.targets[6], train.targets[0]]);
      expect([...batch.phase.dataSync()]).toEqual([train.targets[7], train.targets[1]]);
      tf.dispose(batch);
      expect(() => train.batch(Int32Array.of(5))).toThrow('an integer from 0 to 4. Found 5.');
    });
  });

  it('refuses options out of range', () => {
    expect(() => acCircuits({ noise: -1 })).toThrow('`noise` of `acCircuits`');
    expect(() => acCircuits({ trainSize: 0 })).toThrow('`trainSize` of `acCircuits`');
  });
});
