import type { ErrorCode } from '@multigrad/core/strategy';

/** The program's exit codes. */
export const exitCodes = {
  success: 0,
  /** A run, a file or a plugin failed. */
  failure: 1,
  /** The command line asks for something that does not exist or makes no sense. */
  usage: 2,
  /** Ctrl-C: what was measured until then is kept. */
  interrupted: 130,
} as const;

const usageErrors: readonly ErrorCode[] = [
  'invalid-option',
  'invalid-argument',
  'unknown-strategy',
  'incompatible-strategy',
  'invalid-experiment',
];

/** The exit code for an error before any training. */
export function exitCodeOf(code: ErrorCode): number {
  return usageErrors.includes(code) ? exitCodes.usage : exitCodes.failure;
}
