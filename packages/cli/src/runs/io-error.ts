import { MultigradError } from '@multigrad/core/strategy';

/** What a failed file operation says, in a sentence: the system's own words without the call. */
export function ioError(doing: string, cause: unknown): MultigradError {
  const why = cause instanceof Error ? cause.message.replace(/^[A-Z]+: /, '').replace(/, \w+ '.*$/s, '') : String(cause);
  return new MultigradError('io', `Cannot ${doing}: ${why}.`, { cause });
}

/** Whether a file operation failed because there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
