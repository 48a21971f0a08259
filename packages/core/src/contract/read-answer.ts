import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { Needs } from './needs.ts';
import type { GradientStrategy, Integration } from './strategy.ts';

/**
 * Runs code of a strategy, which may come from another package. It passes a MultigradError on unchanged.
 *
 * @param what - the member that runs, for the message
 * @throws MultigradError `incompatible-strategy` for any other error, with that error as its cause
 */
export function runStrategy<T>(strategy: string, what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (MultigradError.isInstance(cause)) throw cause;
    const found = cause instanceof Error ? `${cause.name}: ${cause.message}` : describeValue(cause);
    throw new MultigradError(
      'incompatible-strategy',
      `Strategy \`${strategy}\` threw in its \`${what}\`. ${found}`,
      { cause },
    );
  }
}

/** The needs of a strategy at the next step. */
export function needsAt<State extends Json>(
  strategy: GradientStrategy<State>,
  state: State,
): Needs {
  return runStrategy(strategy.name, 'needsNow', () => strategy.needsNow?.(state) ?? strategy.needs);
}

const isPromise = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';

/**
 * Runs a member of a strategy that returns its state.
 *
 * @throws MultigradError `incompatible-strategy` where it throws, or returns nothing or a promise
 */
export function readState<State extends Json>(
  strategy: string,
  what: 'init' | 'onStepEnd' | 'onEpochEnd',
  action: () => State,
): State {
  return runStrategy(strategy, what, () => {
    const state = action();
    if ((state as unknown) !== undefined && !isPromise(state)) return state;
    throw new MultigradError(
      'incompatible-strategy',
      `Strategy \`${strategy}\` should return its state from \`${what}\`, null where it remembers nothing. ` +
        `Found ${describeValue(state)}.`,
    );
  });
}

/** Whether a value is an array or a typed array, which is what `weights` may be. */
function isRow(value: unknown): value is Float64Array {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

const isOptional =
  (holds: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || holds(value);
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** What each part of an answer may be, in words. */
const parts: Readonly<
  Record<keyof Integration, readonly [holds: (value: unknown) => boolean, expected: string]>
> = {
  weights: [isRow, 'a Float64Array of one weight for each objective'],
  batchWeights: [
    isOptional((value) => Array.isArray(value) && value.every(isRow)),
    'an array of Float64Arrays',
  ],
  memoryUpdate: [
    isOptional(
      (value) =>
        isObject(value) &&
        ['weights', 'keep', 'add'].every((name) => isRow(Reflect.get(value, name))),
    ),
    'Float64Arrays `weights`, `keep` and `add`',
  ],
  combine: [isOptional((value) => typeof value === 'function'), 'a function'],
  tensorWeights: [
    isOptional(
      (value) => value instanceof Map && [...(value.values() as Iterable<unknown>)].every(isRow),
    ),
    'a Map of Float64Arrays by tensor name',
  ],
  state: [(value) => value !== undefined, 'JSON, null where it remembers nothing'],
  note: [isOptional((value) => typeof value === 'string'), 'a text'],
  diagnostics: [
    isOptional(
      (value) => isObject(value) && Object.values(value).every((one) => typeof one === 'number'),
    ),
    'numbers by name',
  ],
};

/**
 * Reads the answer of a strategy's `integrate`, each part once.
 *
 * @throws MultigradError `incompatible-strategy` where it throws, returns a promise, or a part is not what it should be
 */
export function readAnswer(strategy: string, integrate: () => unknown): Integration {
  return runStrategy(strategy, 'integrate', () => {
    const answer = integrate();
    const fail = (expected: string, found: string): never => {
      throw new MultigradError(
        'incompatible-strategy',
        `Strategy \`${strategy}\` should return ${expected} from \`integrate\`. Found ${found}.`,
      );
    };
    if (!isObject(answer)) return fail('an object with weights and state', describeValue(answer));
    if (isPromise(answer)) {
      fail('weights and state at once', 'a promise: `integrate` cannot wait');
    }
    const read = new Map<string, unknown>();
    for (const [name, [holds, expected]] of Object.entries(parts)) {
      const value: unknown = Reflect.get(answer, name);
      if (!holds(value)) fail(`\`${name}\`, ${expected},`, describeValue(value));
      if (value !== undefined) read.set(name, value);
    }
    return Object.fromEntries(read) as unknown as Integration;
  });
}
