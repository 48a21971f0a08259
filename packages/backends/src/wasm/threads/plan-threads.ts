import { nodeModule } from '../node-module.ts';

/** The number of threads to start, and the reason for it. */
export interface ThreadPlan {
  readonly threads: number;
  readonly reason: string;
}

/**
 * The number of threads that is asked for; for `auto`, the number that the machine runs at once, at most 8. Where threads
 * cannot share memory, 1.
 */
export function planThreads(asked: number | 'auto'): ThreadPlan {
  if (asked === 1) return { threads: 1, reason: 'asked for' };
  const available = parallelism();
  if (available === null) {
    return {
      threads: 1,
      reason:
        'threads need a page that is isolated from others: serve it with the headers ' +
        'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
    };
  }
  if (asked !== 'auto') return { threads: asked, reason: 'asked for' };
  return { threads: Math.min(8, available), reason: `${available} run at once here, 8 at most` };
}

/** How many threads the machine runs at once; null where they cannot share memory. */
function parallelism(): number | null {
  const os = nodeModule('node:os');
  if (os !== undefined) return os.availableParallelism();
  const { crossOriginIsolated } = globalThis as { readonly crossOriginIsolated?: boolean };
  return crossOriginIsolated === true ? navigator.hardwareConcurrency : null;
}
