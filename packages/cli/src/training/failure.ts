import { MultigradError } from '@multigrad/core/strategy';
import type { RunResult } from '../runs/records.ts';

/** An error as a result records it. Somebody else's strategy may throw anything; where it was thrown helps its author. */
export function failureOf(error: unknown): NonNullable<RunResult['error']> {
  if (MultigradError.isInstance(error)) {
    const { code, message, cause } = error;
    const { stack } = cause instanceof Error && !MultigradError.isInstance(cause) ? cause : {};
    return { code, message, ...(stack === undefined ? {} : { stack }) };
  }
  if (!(error instanceof Error)) return { code: 'error', message: String(error) };
  return {
    code: 'error',
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
  };
}
