import '@tensorflow/tfjs-layers';
import process from 'node:process';
import { testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { oddOperations } from '../testing/odd-calls/index.ts';
import { describeCall, Draw, type OddCall } from '../testing/odd-calls/odd-call.ts';
import { useBackend } from '../use-backend.ts';

// Operations with arguments that are legal, at an edge, or wrong: wasm computes what cpu computes, or both refuse. A kernel
// of wasm that reads memory of others finds the numbers that lie around here; one that writes there is seen, too.
// MULTIGRAD_ODD_CALLS=2000 tries more of them.

const calls = Number(process.env['MULTIGRAD_ODD_CALLS'] ?? 25);

/** Of float32 sums in another order. */
const tolerance = 2e-5;

interface Output {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: readonly number[];
}

beforeAll(async () => {
  // Without the checks that TensorFlow.js makes while one looks for errors.
  tf.enableProdMode();
  for (const backend of ['cpu', 'wasm']) await useBackend(backend, { threads: 1 });
});

/** What a call returns on the backend in use, or the error's message. */
function outputsOf(call: OddCall): readonly Output[] | string {
  try {
    return tf.tidy(() => {
      const inputs = call.inputs.map(({ values, shape, dtype }) =>
        tf.tensor(Array.from(values), [...shape], dtype),
      );
      const given = inputs.map((input) => input.dataSync().slice());
      const outputs = [call.run(...inputs)].flat().map((output) => {
        if (output.shape.some((length) => !(length >= 0))) throw new Error('no shape');
        const values = Array.from(output.dataSync());
        return { shape: output.shape, dtype: output.dtype, values };
      });
      expect(inputs.map((input) => input.dataSync())).toEqual(given);
      return outputs;
    });
  } catch (error) {
    if (error instanceof Error && error.name === 'AssertionError') throw error;
    return String(error);
  }
}

/** Leaves numbers that no result has in the memory that the next tensors get. */
function litter(): void {
  tf.dispose(Array.from({ length: 12 }, (_, i) => tf.fill([4 * i * i + 3], 7.25e20)));
}

function expectSame(found: readonly Output[], expected: readonly Output[]): void {
  const head = ({ shape, dtype }: Output): unknown => ({ shape, dtype });
  expect(found.map(head)).toEqual(expected.map(head));
  for (const [k, { values }] of expected.entries()) {
    const largest = values.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 1);
    const isNear = (value: number, i: number): boolean => {
      const other = found[k]!.values[i]!;
      if (value === other || (Number.isNaN(value) && Number.isNaN(other))) return true;
      return Math.abs(value - other) <= tolerance * largest;
    };
    if (!values.every(isNear)) expect(found[k]!.values).toEqual(values);
  }
}

describe
  .runIf(testedBackends().includes('wasm'))
  .each(oddOperations.map((operation) => [operation.name, operation] as const))(
  'odd calls of %s',
  (name, operation) => {
    it('give the same on wasm as on cpu, or are refused by both', async () => {
      let compared = 0;
      for (let seed = 0; seed < calls; seed += 1) {
        const call = operation.draw(new Draw(seed, name));
        await tf.setBackend('cpu');
        const expected = outputsOf(call);
        await tf.setBackend('wasm');
        const before = tf.memory().numTensors;
        litter();
        const guards = [tf.fill([64], 1.5), tf.fill([8], 1.5)];
        const found = outputsOf(call);
        const later = tf.fill([16], 1.5);
        const text = describeCall(name, call);
        for (const guard of [...guards, later]) {
          expect(
            guard.dataSync().every((value) => value === 1.5),
            text,
          ).toBe(true);
        }
        tf.dispose([...guards, later]);
        expect(tf.memory().numTensors, text).toBe(before);
        if (typeof expected === 'string' || typeof found === 'string') {
          expect(typeof found, `${text}: ${JSON.stringify([expected, found])}`).toBe(
            typeof expected,
          );
          continue;
        }
        compared += 1;
        try {
          expectSame(found, expected);
        } catch (cause) {
          throw new Error(`${text} differs`, { cause });
        }
      }
      expect(compared).toBeGreaterThan(0);
    });
  },
);
