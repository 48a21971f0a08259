// Writes a safetensors file that Python reads and answers with one of its own, of every type; both must agree. Exported
// networks are read there too, with the names and axes of either program.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeSafetensors,
  encodeSafetensors,
  float32Tensor,
  rawTensor,
  toFloat32,
} from '../../packages/checkpoint/dist/safetensors/index.js';
import { exportWeights } from '../../packages/checkpoint/dist/model-files/index.js';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

tf.enableProdMode(); // no advertisement
const [python] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'multigrad-formats-'));
try {
  const tensors = [
    ['encoder/kernel', float32Tensor([2, 3], [1, -2, 0.5, 1e-30, 3e38, 0])],
    ['scalar', float32Tensor([], [0.1])],
    ['empty', float32Tensor([0, 4], [])],
    ['labels', rawTensor('I32', [3], Int32Array.of(-1, 0, 2 ** 31 - 1))],
    ['mask', rawTensor('BOOL', [3], Uint8Array.of(1, 0, 1))],
    ['fine', rawTensor('F64', [1], Float64Array.of(Math.PI))],
    ['Größe "1"\n', rawTensor('U8', [1], Uint8Array.of(255))],
  ];
  writeFileSync(join(folder, 'ours.safetensors'), encodeSafetensors(tensors, { made: 'here' }));
  const variables = tf.tidy(() => {
    const counted = (shape) => {
      const size = shape.reduce((a, b) => a * b);
      return tf.variable(tf.reshape(tf.range(0, size), shape));
    };
    return new Map([
      ['conv/kernel', counted([3, 2, 4, 5])],
      ['conv/bias', counted([5])],
      ['dense/kernel', counted([2, 3])],
    ]);
  });
  for (const convention of ['tensorflow', 'torch']) {
    writeFileSync(
      join(folder, `${convention}.safetensors`),
      await exportWeights(variables, { convention, metadata: { step: '7' } }),
    );
  }
  execFileSync(python, [join(import.meta.dirname, 'safetensors_peer.py'), folder], {
    stdio: 'inherit',
  });
  const theirs = readFileSync(join(folder, 'theirs.safetensors'));
  const read = decodeSafetensors(theirs);
  assert.deepEqual([...read.metadata], [['made', 'there']]);
  const expected = {
    F64: [1.5, -2],
    F32: [1.5, -2],
    F16: [1.5, -2],
    I64: [1, -2],
    I32: [1, -2],
    I16: [1, -2],
    I8: [1, -2],
    U8: [1, 254],
    BOOL: [1, 0],
  };
  for (const [dtype, values] of Object.entries(expected)) {
    assert.equal(read.tensors.get(dtype)?.dtype, dtype);
    assert.deepEqual([...toFloat32(read.tensors.get(dtype))], values, dtype);
  }
  console.log(
    `safetensors: ${tensors.length + 2 * variables.size} tensors there, ${read.tensors.size} back, equal.`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
