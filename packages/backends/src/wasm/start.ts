import { backend, engine } from '@tensorflow/tfjs-core';
import { backendBinary } from './backend-binary.ts';
import { installWasmKernels } from './install.ts';
import { installOwnFactory } from './own-factory.ts';
import { planThreads } from './threads/plan-threads.ts';

/** How our kernels run on the wasm backend. */
export interface WasmReport {
  /** The number of threads that answer, the calling one included. */
  readonly threads: number;
  /** The reason for this number of threads, and why any are missing. */
  readonly threadsReason: string;
  /** `relaxed` where the engine has a multiply-add that rounds once, which is faster. */
  readonly simd: 'relaxed' | 'plain';
}

/** Options of {@link startWasm}; see `BackendOptions`. */
export interface WasmOptions {
  readonly threads?: number | 'auto';
  readonly onThreadLost?: (reason: string) => void;
}

/**
 * Calls `start`, which starts the wasm backend, and installs our kernels on it.
 *
 * For more than one thread, the backend gets a binary with a shared memory. A backend that runs already keeps its memory and
 * its threads.
 */
export async function startWasm(
  { threads: asked = 'auto', onThreadLost }: WasmOptions,
  start: () => Promise<void>,
): Promise<WasmReport> {
  const plan = planThreads(asked);
  const factory =
    engine().registry['wasm'] === undefined
      ? await installOwnFactory(await backendBinary(plan.threads > 1), plan.threads)
      : null;
  try {
    await start();
  } catch (error) {
    throw factory?.failure ?? error;
  }
  const { team, relaxedSimd } = await installWasmKernels(backend(), plan.threads);
  if (onThreadLost !== undefined) team?.listen(onThreadLost);
  const wanted = team?.size ?? 1;
  const reason =
    wanted === plan.threads ? plan.reason : 'the backend had started before, and keeps its threads';
  const threads = 1 + ((await team?.answering()) ?? 0);
  return {
    threads,
    threadsReason:
      threads === wanted ? reason : `${reason}; ${whyMissing(wanted, threads, team?.losses ?? [])}`,
    simd: relaxedSimd ? 'relaxed' : 'plain',
  };
}

function whyMissing(wanted: number, threads: number, losses: readonly string[]): string {
  const late = wanted - threads - losses.length;
  const reasons = late === 0 ? losses : [...losses, `${late} did not answer in time`];
  return `${wanted - threads} of ${wanted} are missing: ${reasons.join('; ')}`;
}
