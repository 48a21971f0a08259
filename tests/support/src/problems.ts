import { type ErrorCode, MultigradError } from '@multigrad/core/strategy';
import { expect } from 'vitest';

/** The message of the `MultigradError` with this code that an action throws. */
export function problem(code: ErrorCode, action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!MultigradError.isInstance(error)) throw error;
    expect(error.code).toBe(code);
    return error.message;
  }
  throw new Error('Nothing was thrown.');
}
