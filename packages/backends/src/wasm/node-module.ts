import type * as fs from 'node:fs';
import type * as module from 'node:module';
import type * as os from 'node:os';
import type * as v8 from 'node:v8';
import type * as workerThreads from 'node:worker_threads';

/** The modules of Node that the wasm backend uses where it runs there. */
interface NodeModules {
  readonly 'node:fs': typeof fs;
  readonly 'node:module': typeof module;
  readonly 'node:os': typeof os;
  readonly 'node:v8': typeof v8;
  readonly 'node:worker_threads': typeof workerThreads;
}

/** A module of Node, or undefined elsewhere. It is not imported, so that bundlers for browsers do not look for it. */
export function nodeModule<Name extends keyof NodeModules>(
  name: Name,
): NodeModules[Name] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): unknown } };
  return process?.getBuiltinModule?.(name) as NodeModules[Name] | undefined;
}
