import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import * as tf from '@tensorflow/tfjs-core';
import { loadBuild } from './load-build.ts';
import { mendNode } from './mend-node.ts';
import { findNativeBuilds, type NativeBuild } from './native-build.ts';
import { backendName, type NodeBackend } from './node-backend.ts';
import { probeForGpu } from './probe.ts';

/** Native TensorFlow, registered with TensorFlow.js under the name `tensorflow`. */
export interface OpenedTensorFlow {
  /** The npm package, or the folder of a build of ours. */
  readonly source: string;
  /** Other candidates that were tried before it, each with the reason why it was passed over. */
  readonly passedOver: readonly string[];
}

/** Why no native TensorFlow could be opened. */
export interface NoTensorFlow {
  /** Whether any package or build is installed. */
  readonly installed: boolean;
  readonly failures: readonly string[];
}

/** Where native TensorFlow is looked for; tests pass surroundings of their own. */
export interface NativeSurroundings {
  /** The folder that holds builds. */
  readonly folder: string;
  /** Whether this machine has a driver for CUDA devices. */
  readonly driver: boolean;
  /** Path of an npm package's entry, or null where it is not installed. */
  readonly resolve: (name: string) => string | null;
}

interface Candidate {
  readonly source: string;
  /** Finds out, without loading it, why it should be passed over; null where it should not. */
  readonly objection?: () => Promise<string | null>;
  /** Registers the backend, or throws. */
  readonly load: () => void;
}

let opened: OpenedTensorFlow | null = null;

/**
 * Registers native TensorFlow with TensorFlow.js. Candidates are, in this order: where a GPU answers,
 * `@tensorflow/tfjs-node-gpu` or a build of ours for GPUs; `@tensorflow/tfjs-node`; a build of ours; a build or package for
 * GPUs, which then computes on the processor.
 *
 * A process can hold only one TensorFlow library: later calls return the one that was opened first.
 */
export async function openTensorFlow(
  surroundings: NativeSurroundings,
): Promise<OpenedTensorFlow | NoTensorFlow> {
  // Keeps TensorFlow from writing messages about its start and the processor's features to stderr.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  if (isRegistered()) {
    return opened ?? { source: 'what the program imported', passedOver: [] };
  }
  const failures: string[] = [];
  const candidates = listCandidates(surroundings);
  for (const candidate of candidates) {
    const { source } = candidate;
    const failure = await failureOf(candidate);
    if (failure === null) {
      opened = { source, passedOver: failures };
      return opened;
    }
    failures.push(`${source}: ${failure}`);
  }
  return { installed: candidates.length > 0, failures };
}

/** The surroundings of this process. */
export function surroundingsOf(folder: string): NativeSurroundings {
  return { folder, driver: hasDriver(), resolve: resolvePackage };
}

function listCandidates({ folder, driver, resolve }: NativeSurroundings): Candidate[] {
  const builds = findNativeBuilds(folder);
  const onGpu = builds.filter(({ device, gpu }) => device === 'gpu' && gpu);
  const gpuPackage = '@tensorflow/tfjs-node-gpu';
  // Another process asks the package whether a GPU answers, since a loaded library cannot be unloaded.
  const first = driver
    ? [...packageCandidates(gpuPackage, resolve, probeForGpu), ...onGpu.map(buildCandidate)]
    : [];
  const others = builds.filter((build) => !driver || !onGpu.includes(build));
  return [
    ...first,
    ...packageCandidates('@tensorflow/tfjs-node', resolve),
    ...others.filter(({ device }) => device === 'cpu').map(buildCandidate),
    ...others.filter(({ device }) => device === 'gpu').map(buildCandidate),
    ...packageCandidates(gpuPackage, resolve),
  ];
}

async function failureOf({ objection, load }: Candidate): Promise<string | null> {
  try {
    const objected = (await objection?.()) ?? null;
    if (objected === null) load();
    return objected;
  } catch (error) {
    // A candidate that fails half-way may leave its registration behind.
    if (isRegistered()) tf.removeBackend(backendName);
    return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0]!;
  }
}

function packageCandidates(
  name: string,
  resolve: NativeSurroundings['resolve'],
  objection?: (entry: string) => Promise<string | null>,
): Candidate[] {
  const entry = resolve(name);
  if (entry === null) return [];
  const load = (): void => {
    mendNode();
    createRequire(entry)(entry);
  };
  return [{ source: name, load, ...(objection && { objection: () => objection(entry) }) }];
}

function buildCandidate(build: NativeBuild): Candidate {
  const load = (): void => {
    const backend = loadBuild(build);
    tf.registerBackend(backendName, () => backend, 3);
  };
  return { source: build.folder, load };
}

function resolvePackage(name: string): string | null {
  // The package is a peer of this package, or is installed in the project that the program runs in.
  for (const origin of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(origin).resolve(name);
    } catch {
      // The next place is tried.
    }
  }
  return null;
}

function hasDriver(): boolean {
  const signs = ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/dev/dxg'];
  if (process.platform === 'win32') signs.push('C:\\Windows\\System32\\nvcuda.dll');
  return signs.some((path) => existsSync(path));
}

function isRegistered(): boolean {
  return (tf.findBackendFactory(backendName) as unknown) !== null;
}

/** The backend of native TensorFlow. Call it once that is open. */
export function nodeBackend(): NodeBackend {
  return tf.findBackend(backendName) as NodeBackend;
}
