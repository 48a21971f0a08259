import { own } from '../base/own.ts';
import type { ObjectiveWeights } from './options.ts';

/**
 * Description of an option for the direction of a ray through 0 that the losses are brought to; `rayOf` makes the ray of it.
 *
 * @example
 * ```ts
 * import { rayOption, resolveOptions } from '@multigrad/core/strategy';
 *
 * const specs = { preference: rayOption } as const;
 * console.log(resolveOptions('mine', specs, { preference: { audio: 3 } }).preference); // { audio: 3 }
 * ```
 */
export const rayOption = {
  kind: 'weights',
  positive: true,
  preference: 'ray',
  description:
    'Direction of the ray that the losses are brought to, by objective name, a finite number > 0: the greater, the greater the loss may stay. Objectives that are not named have 1.',
} as const;

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

/**
 * The direction of a preferred ray as a vector of length 1, `p = r / |r|`, over the objectives present, in their order.
 *
 * @param preference - r by objective name, or null where none is named; an objective without one has 1
 *
 * @example
 * ```ts
 * import { rayOf } from '@multigrad/core/strategy';
 *
 * console.log(rayOf(['image', 'audio', 'text'], { audio: 2, text: 2 })); // 0.333, 0.667, 0.667
 * ```
 */
export function rayOf(
  objectives: readonly string[],
  preference: ObjectiveWeights | null,
): Float64Array {
  const ray = preferencesOf(objectives, preference, 1);
  const length = Math.hypot(...ray);
  return ray.map((value) => value / length);
}
