import { own } from '../base/own.ts';
import type { ObjectiveWeights } from './options.ts';

/**
 * The preferences of the objectives present, in their order; an objective without one gets `otherwise`.
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
  const preferences = new Float64Array(objectives.length).fill(otherwise);
  if (preference === null) return preferences;
  for (let k = 0; k < objectives.length; k += 1) {
    const name = objectives[k]!;
    // Own names only: an objective may be called `constructor`.
    preferences[k] = own(preference, name) ?? preferences[k]!;
  }
  return preferences;
}
