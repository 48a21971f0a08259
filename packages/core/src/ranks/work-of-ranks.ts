import type { ErrorCode } from '../base/errors.ts';
import { MultigradError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { GradientExchange } from './gradient-exchange.ts';

/** The outcome of work on one rank, as JSON: a value or an error. */
type Outcome<T extends Json> =
  | { readonly value: T }
  | { readonly error: { readonly code: ErrorCode | null; readonly message: string } };

/** Runs work, and returns its value or the error that it threw. */
async function attempt<T extends Json>(
  work: () => T | Promise<T>,
): Promise<{ readonly outcome: Outcome<T>; readonly error: Error | null }> {
  try {
    return { outcome: { value: await work() }, error: null };
  } catch (error) {
    const thrown = error instanceof Error ? error : new Error(String(error));
    const code = MultigradError.isInstance(thrown) ? thrown.code : null;
    return { outcome: { error: { code, message: thrown.message } }, error: thrown };
  }
}

function errorOf(
  { code, message }: { readonly code: ErrorCode | null; readonly message: string },
  rank: number,
): Error {
  const text = `Rank ${rank}: ${message}`;
  return code === null ? new Error(text) : new MultigradError(code, text);
}

/**
 * Runs work on every rank, and returns the values of all ranks, by rank.
 *
 * @throws on every rank where it threw on one: its own error on that rank, elsewhere one that names the rank
 */
export async function fromEach<T extends Json>(
  exchange: GradientExchange,
  what: string,
  work: () => T | Promise<T>,
): Promise<readonly T[]> {
  const own = await attempt(work);
  const outcomes = await exchange.gather<Json>(what, own.outcome);
  if (own.error !== null) throw own.error;
  return outcomes.map((given, rank) => {
    const outcome = given as unknown as Outcome<T>;
    if ('error' in outcome) throw errorOf(outcome.error, rank);
    return outcome.value;
  });
}

/**
 * Runs work on rank 0 alone, and returns its value on every rank.
 *
 * @throws on every rank what it threw on rank 0
 */
export async function fromRoot<T extends Json>(
  exchange: GradientExchange,
  what: string,
  work: () => T | Promise<T>,
): Promise<T> {
  const own = exchange.rank === 0 ? await attempt(work) : null;
  const given = await exchange.fromRoot<Json>(what, own?.outcome ?? null);
  if (own !== null && own.error !== null) throw own.error;
  const outcome = given as unknown as Outcome<T>;
  if ('error' in outcome) throw errorOf(outcome.error, 0);
  return outcome.value;
}
