import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { MultigradError } from '../base/errors.ts';

/**
 * State of a random generator (xoroshiro128+), as plain JSON: four 32-bit integers.
 */
export type RandomState = readonly [number, number, number, number];

/**
 * Draws from a generator; read `state()` back to continue elsewhere.
 *
 * The same state gives the same draws, whatever was drawn before it.
 */
export interface Random {
  /** A number in [0, 1), a multiple of 2⁻⁵³. */
  uniform(): number;
  /**
   * An integer in 0 … n − 1, each equally likely; n in 1 … 2³².
   *
   * @throws MultigradError `invalid-argument` for another n
   */
  integer(n: number): number;
  /**
   * A standard normal number, by the Box–Muller transform of two uniform ones: `√(−2 ln(1 − u)) cos(2πv)`. Nothing is
   * kept for the next call. Its last digits are those of the JavaScript engine's `Math.log` and `Math.cos`.
   */
  normal(): number;
  /**
   * The integers 0 … n − 1 in random order, each order equally likely (Fisher–Yates); n in 0 … 2³².
   *
   * @throws MultigradError `invalid-argument` for another n
   */
  permutation(n: number): Uint32Array;
  /** Puts the elements of an array into random order, in place, by the draws that `permutation` would make. */
  shuffle<T extends unknown[] | Float32Array | Float64Array | Int32Array | Uint32Array>(
    array: T,
  ): T;
  /** The state after the draws so far. */
  state(): RandomState;
}

/**
 * The state of a generator for a seed and a stream. Streams of one seed are independent: each group, layer or epoch can
 * have one.
 *
 * The seed and the words of the stream are hashed: word s of the state, s = 1 … 4, is the 32-bit FNV-1a hash of the
 * UTF-16 code units of `JSON.stringify([s, seed, ...stream])`. The first 16 numbers are thrown away.
 *
 * @param seed - an integer that float64 holds exactly
 * @param stream - words that name what the numbers are for; `1` and `'1'` name different streams
 * @throws MultigradError `invalid-option` when the seed is no such integer, `invalid-argument` when a number in the
 *   stream is not finite
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
  for (const word of stream) {
    if (typeof word === 'string' || Number.isFinite(word)) continue;
    throw new MultigradError(
      'invalid-argument',
      `The words of a random stream should be strings or finite numbers. Found ${word}.`,
    );
  }
  const words = [1, 2, 3, 4].map((salt) => hash(JSON.stringify([salt, seed, ...stream])));
  const generator = xoroshiro128plusFromState(words);
  for (let draw = 0; draw < 16; draw += 1) generator.next();
  return generator.getState() as unknown as RandomState;
}

/**
 * A generator that continues from a state.
 *
 * The generator is Blackman and Vigna's xoroshiro128+, of period 2¹²⁸ − 1.
 *
 * @throws MultigradError `invalid-argument` when the state is not four 32-bit integers, one of them not zero
 *
 * @see Blackman and Vigna, Scrambled linear pseudorandom number generators, ACM Transactions on Mathematical Software 47
 *   (2021)
 *
 * @example
 * ```ts
 * import { randomState, resumeRandom } from '@multigrad/core/strategy';
 *
 * const random = resumeRandom(randomState(1));
 * const saved = JSON.stringify(random.state());
 * const next = random.uniform();
 * console.log(resumeRandom(JSON.parse(saved)).uniform() === next); // true
 * ```
 */
export function resumeRandom(state: RandomState): Random {
  const words: readonly unknown[] = Array.isArray(state) ? state : [];
  // From all zeros the generator would never move.
  if (words.length !== 4 || !words.every(isInt32) || words.every((word) => word === 0)) {
    throw new MultigradError(
      'invalid-argument',
      `A random state should be four 32-bit integers, not all zero. Found ${JSON.stringify(state)}.`,
    );
  }
  const generator = xoroshiro128plusFromState(state);
  const uniform = (): number => uniformFloat64(generator);
  const integer = (n: number): number => {
    checkCount(n, 1);
    return uniformInt(generator, 0, n - 1);
  };
  const shuffle = <T extends Indexed>(array: T): T => {
    for (let last = array.length - 1; last > 0; last -= 1) {
      const chosen = integer(last + 1);
      const value = array[chosen];
      array[chosen] = array[last];
      array[last] = value;
    }
    return array;
  };
  return {
    uniform,
    integer,
    normal: () => {
      // 1 − u lies in (0, 1]: the logarithm is finite.
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    },
    permutation: (n) => {
      checkCount(n, 0);
      const order = new Uint32Array(n);
      for (let index = 0; index < n; index += 1) order[index] = index;
      return shuffle(order);
    },
    shuffle,
    state: () => generator.getState() as unknown as RandomState,
  };
}

type Indexed = { readonly length: number; [index: number]: unknown };

function isInt32(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value;
}

function checkCount(n: number, least: number): void {
  if (Number.isInteger(n) && n >= least && n <= 2 ** 32) return;
  throw new MultigradError(
    'invalid-argument',
    `A number of choices should be an integer in ${least} … 2³². Found ${n}.`,
  );
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value | 0;
}
