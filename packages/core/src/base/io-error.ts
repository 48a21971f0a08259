import { MultigradError } from './errors.ts';

/**
 * What a failed file operation says, in a sentence: the system's own words and its code, without the call.
 *
 * @param doing - what was tried, with the file's name, such as `write runs/a/log.csv`
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { ioError } from '@multigrad/core/support';
 *
 * try {
 *   readFileSync('absent.csv');
 * } catch (cause) {
 *   console.log(ioError('read absent.csv', cause).message);
 *   // Cannot read absent.csv: no such file or directory (ENOENT).
 * }
 * ```
 */
export function ioError(doing: string, cause: unknown): MultigradError {
  if (!(cause instanceof Error)) {
    return new MultigradError('io', `Cannot ${doing}: ${String(cause)}.`, { cause });
  }
  const words = cause.message.replace(/^[A-Z]+: /, '').replace(/, \w+( '.*)?$/s, '');
  const code = 'code' in cause && typeof cause.code === 'string' ? ` (${cause.code})` : '';
  const why = `${words.replace(/\.$/, '')}${code}`;
  return new MultigradError('io', `Cannot ${doing}: ${why}.`, { cause });
}

/**
 * Whether a file operation failed because there is no such file.
 *
 * @example
 * ```ts
 * import { isMissing } from '@multigrad/core/support';
 *
 * console.log(isMissing(Object.assign(new Error(), { code: 'ENOENT' }))); // true
 * ```
 */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
