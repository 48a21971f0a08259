import '@tensorflow/tfjs-layers';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KernelHeap } from '../../../backends/src/wasm/kernel-heap.ts';
import { runCommandLine } from '../command-line.ts';
import { tiny } from '../testing/program.ts';

let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-threads-'));
  // Doctor looks for no native TensorFlow.
  vi.stubEnv('MULTIGRAD_NATIVE', folder);
  const factory = tf.findBackendFactory('wasm') as (() => tf.KernelBackend) | null;
  if (factory !== null) {
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory, 2);
  }
  const { wasm } = await useBackend('wasm', { threads: 2 });
  expect(wasm?.threads).toBe(2);
  // The thread dies in the first piece that it takes.
  KernelHeap.of(tf.backend()).team!.order(1, 'trap', 'in a piece');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const reason = 'thread 1 died: RuntimeError: unreachable';

async function run(...args: readonly string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await runCommandLine(args, {
    terminal: null,
    print: (line) => lines.push(line),
    complain: (line) => lines.push(line),
    folder,
    signal: new AbortController().signal,
    draw: () => Promise.resolve('<svg/>'),
  });
  return { code, lines };
}

it('a run tells once that a thread was lost, and records of this run and of later ones say why', async () => {
  const args = ['cg-mnist', '--strategies', 'sum,mgda', '--backend', 'wasm', ...tiny, '--force'];
  const told: string[] = [];
  // Until the thread has taken a piece.
  for (let calls = 0; told.length === 0 && calls < 20; calls += 1) {
    const { code, lines } = await run('compare', ...args, '--out', 'out');
    expect(code).toBe(0);
    told.push(...lines.filter((line) => line.includes('thread')));
  }
  expect(told).toEqual([
    `A thread of the wasm backend was lost: ${reason}. Results stay the same, steps take longer.`,
  ]);
  const record = readFileSync(join(folder, 'out', 'runs', 'mgda-seed0', 'result.json'), 'utf8');
  expect(JSON.parse(record)).toMatchObject({ status: 'finished', lostThreads: [reason] });
  // What was told once is not told again.
  const { lines } = await run('compare', ...args, '--out', 'later');
  expect(lines.filter((line) => line.includes('thread'))).toEqual([]);
});

it('doctor tells that a thread was lost, and why', async () => {
  const { lines } = await run('doctor');
  expect(lines.find((line) => line.startsWith('wasm computes'))).toMatch(
    new RegExp(`^wasm computes on 1 thread \\(.*; 1 of 2 are missing: ${reason}\\)\\.$`),
  );
});
