import process from 'node:process';
import * as tf from '@tensorflow/tfjs-core';

/** The backends to test on: those that are always there, or the one that `MULTIGRAD_TEST_BACKEND` names. */
export function testedBackends(usual: readonly string[] = ['cpu', 'wasm']): readonly string[] {
  const given = process.env['MULTIGRAD_TEST_BACKEND'];
  return given === undefined || given === '' ? usual : [given];
}

/** Starts a stock backend, or the one that `MULTIGRAD_TEST_BACKEND` names, with our kernels. */
export async function startTestBackend(usual = 'cpu'): Promise<void> {
  const [name] = testedBackends([usual]);
  if (name === usual) {
    await tf.setBackend(name);
    return;
  }
  // Not needed by those who test on stock backends.
  const { useBackend } = await import('@multigrad/backends');
  await useBackend(name!);
}

/** Starts one of the tested backends: cpu as TensorFlow.js has it, where operations are composed, others with our kernels. */
export async function startTestedBackend(name: string): Promise<void> {
  if (name === 'cpu') {
    await tf.setBackend(name);
    return;
  }
  const { useBackend } = await import('@multigrad/backends');
  await useBackend(name);
}
