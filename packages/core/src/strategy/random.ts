import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { MultigradError } from './errors.ts';

/**
 * State of a random generator (xoroshiro128+), as plain JSON: four 32-bit integers.
 */
export type RandomState = readonly [number, number, number, number];

/** Draws from a generator; read `state()` back to continue elsewhere. */
export interface Random {
  /** A number in [0, 1), a multiple of 2⁻⁵³. */
  uniform(): number;
  /** An integer in 0 … n − 1; n in 1 … 2³². */
  integer(n: number): number;
  /** A standard normal number, by the Box–Muller transform of two uniform ones; nothing is kept for the next call. */
  normal(): number;
  /** The integers 0 … n − 1 in random order (Fisher–Yates). */
  permutation(n: number): Uint32Array;
  /** The state after the draws so far. */
  state(): RandomState;
}

/**
 * The state of a generator for a seed and a stream: independent streams of one seed for each group, layer or epoch.
 *
 * The seed and the words of the stream are hashed (FNV-1a over their text, salted once per word of the state), and the
 * first 16 numbers are thrown away.
 *
 * @param seed - an integer, safe in float64
 * @param stream - words that name what the numbers are for
 * @throws MultigradError `invalid-option` when the seed is no integer
 *
 * @example
 * ```ts
 * import { randomState, resumeRandom } from '@multigrad/core/strategy';
 *
 * const random = resumeRandom(randomState(1, 'shuffle', 3));
 * console.log(random.permutation(4), random.state());
 * ```
 */
export function randomState(seed: number, ...stream: readonly (string | number)[]): RandomState {
  if (!Number.isSafeInteger(seed)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`seed\` should be an integer. Found ${seed}.`,
    );
  }
  const words = [1, 2, 3, 4].map((salt) => hash(JSON.stringify([salt, seed, ...stream])));
  const generator = xoroshiro128plusFromState(words);
  for (let draw = 0; draw < 16; draw += 1) generator.next();
  return generator.getState() as unknown as RandomState;
}

/**
 * A generator that goes on from a state.
 *
 * @throws MultigradError `invalid-argument` when the state is not four integers
 */
export function resumeRandom(state: RandomState): Random {
  const words: readonly unknown[] = Array.isArray(state) ? state : [];
  if (words.length !== 4 || !words.every(Number.isInteger)) {
    throw new MultigradError(
      'invalid-argument',
      `A random state should be four integers. Found ${JSON.stringify(state)}.`,
    );
  }
  const generator = xoroshiro128plusFromState(state);
  const uniform = (): number => uniformFloat64(generator);
  const integer = (n: number): number => uniformInt(generator, 0, n - 1);
  return {
    uniform,
    integer,
    normal: () => {
      // 1 − u lies in (0, 1]: the logarithm is finite.
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    },
    permutation: (n) => {
      const order = Uint32Array.from({ length: n }, (_, index) => index);
      for (let last = n - 1; last > 0; last -= 1) {
        const chosen = integer(last + 1);
        const value = order[chosen]!;
        order[chosen] = order[last]!;
        order[last] = value;
      }
      return order;
    },
    state: () => generator.getState() as unknown as RandomState,
  };
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value | 0;
}
