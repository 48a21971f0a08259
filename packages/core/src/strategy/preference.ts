import type { ObjectiveWeights } from './options.ts';

/**
 * The preferences of the objectives present, in their order; those that are not named have the one given.
 *
 * @param preference - by objective name, or null where none is named
 *
 * @example
 * ```ts
 * import { preferencesOf } from '@multigrad/core/strategy';
 *
 * console.log(preferencesOf(['image', 'audio'], { audio: 3 }, 0.5)); // 0.5, 3
 * ```
 */
export function preferencesOf(
  objectives: readonly string[],
  preference: ObjectiveWeights | null,
  otherwise: number,
): Float64Array {
  return Float64Array.from(objectives, (name) =>
    // Own names only: an objective may be called `constructor`.
    preference !== null && Object.hasOwn(preference, name) ? preference[name]! : otherwise,
  );
}
