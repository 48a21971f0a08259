import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findNativeBuilds, type NativeBuild, nativeFolder } from './native-build.ts';
import { type NativeSurroundings, surroundingsOf } from './open-tensorflow.ts';

/** An npm package with native TensorFlow. */
export interface NativePackage {
  readonly name: string;
  /** The installed version; null where the package is not installed. */
  readonly version: string | null;
}

/** What this machine has of native TensorFlow. */
export interface NativeInspection {
  /** Whether there is a driver for CUDA devices. */
  readonly driver: boolean;
  readonly packages: readonly NativePackage[];
  /** The builds made by `installNative`. */
  readonly builds: readonly NativeBuild[];
  /** The folder in which builds are looked for. */
  readonly folder: string;
}

/**
 * Looks for native TensorFlow: packages, builds, a driver. Nothing is loaded.
 *
 * @example
 * ```ts
 * import { inspectNative } from '@multigrad/backends/native';
 *
 * const { driver, packages, builds } = inspectNative();
 * console.log(driver, packages.length, builds.length);
 * ```
 */
export function inspectNative(folder: string = nativeFolder()): NativeInspection {
  const { driver, resolve } = surroundingsOf(folder);
  const names = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];
  return {
    driver,
    packages: names.map((name) => ({ name, version: versionOf(name, resolve) })),
    builds: findNativeBuilds(folder),
    folder,
  };
}

function versionOf(name: string, resolve: NativeSurroundings['resolve']): string | null {
  const entry = resolve(name);
  if (entry === null) return null;
  // The entry is `dist/index.js` of the package.
  const text = readFileSync(join(dirname(dirname(entry)), 'package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
