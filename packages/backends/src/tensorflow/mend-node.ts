import { createRequire } from 'node:module';

/**
 * Adds the two helpers of `node:util` that `@tensorflow/tfjs-node` 4.22.0 calls, where they are missing: newer versions of
 * Node have dropped them (`isNullOrUndefined` in Node 23).
 *
 * @param util - the CommonJS exports of `node:util`
 */
export function mendNode(
  util: Record<string, unknown> = createRequire(import.meta.url)('node:util') as Record<
    string,
    unknown
  >,
): void {
  util['isNullOrUndefined'] ??= (value: unknown): boolean => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}
