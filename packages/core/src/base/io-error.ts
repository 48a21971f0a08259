import { MultigradError } from './errors.ts';

/**
 * What a failed file operation says, in a sentence: the system's own words without the call.
 *
 * @param doing - what was tried, with the file's name, such as `write runs/a/log.csv`
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { ioError } from '@multigrad/core/strategy';
 *
 * try {
 *   readFileSync('absent.csv');
 * } catch (cause) {
 *   console.log(ioError('read absent.csv', cause).message);
 *   // Cannot read absent.csv: no such file or directory.
 * }
 * ```
 */
export function ioError(doing: string, cause: unknown): MultigradError {
  const why =
    cause instanceof Error
      ? cause.message.replace(/^[A-Z]+: /, '').replace(/, \w+( '.*)?$/s, '')
      : String(cause);
  return new MultigradError('io', `Cannot ${doing}: ${why}.`, { cause });
}

/**
 * Whether a file operation failed because there is no such file.
 *
 * @example
 * ```ts
 * import { isMissing } from '@multigrad/core/strategy';
 *
 * console.log(isMissing(Object.assign(new Error(), { code: 'ENOENT' }))); // true
 * ```
 */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
