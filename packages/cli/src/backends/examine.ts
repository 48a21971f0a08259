// Registers the gradients of TensorFlow.js's operations, which the self-test needs.
import '@tensorflow/tfjs-layers';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import process from 'node:process';
import { type BackendReport, useBackend } from '@multigrad/backends';
import { inspectNative, type NativeInspection } from '@multigrad/backends/native';
import * as tf from '@tensorflow/tfjs-core';
import { version } from '../shared/version.ts';
import { type SelfTest, selfTest } from './self-test.ts';

/** What the doctor knows of one backend. */
export interface Examined {
  readonly name: string;
  /** Why it did not start; null where it did. */
  readonly failure: string | null;
  readonly report: BackendReport | null;
  readonly test: SelfTest | null;
}

/** Everything that the doctor found. */
export interface Findings {
  readonly versions: Readonly<Record<string, string>>;
  readonly processor: string;
  /** Processors that this process may use. */
  readonly processors: number;
  /** Vector instructions, by the processor's own account. */
  readonly vectors: readonly string[];
  readonly native: NativeInspection;
  readonly backends: readonly Examined[];
  /** What `auto` takes, and why. */
  readonly choice: BackendReport;
}

/** Looks at the machine, starts every backend and tests it; ends on the backend that `auto` takes. */
export async function examine(now: () => number): Promise<Findings> {
  const native = inspectNative();
  const backends: Examined[] = [];
  for (const name of ['tensorflow', 'webgpu', 'wasm', 'cpu'])
    backends.push(await examineBackend(name, now));
  const choice = await useBackend('auto');
  return {
    versions: {
      multigrad: version,
      'TensorFlow.js': tf.version_core,
      Node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
    },
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    processors: availableParallelism(),
    vectors: vectorInstructions(),
    native,
    backends,
    choice,
  };
}

async function examineBackend(name: string, now: () => number): Promise<Examined> {
  let report: BackendReport;
  try {
    report = await useBackend(name);
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { name, failure, report: null, test: null };
  }
  // Two seconds in all.
  const slow = name === 'cpu' || report.gpu?.software === true;
  const test = await selfTest(0.3, now, slow);
  // Threads that answer after the test: those that were lost in it do not count.
  return { name, failure: null, report: report.wasm ? await useBackend(name) : report, test };
}

function vectorInstructions(): string[] {
  let text: string;
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return [];
  }
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/));
  const names = { avx2: 'AVX2', avx512f: 'AVX-512', amx_tile: 'AMX', asimd: 'NEON', sve: 'SVE' };
  return Object.entries(names).flatMap(([flag, name]) => (flags.has(flag) ? [name] : []));
}
