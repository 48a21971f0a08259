import { spawn } from 'node:child_process';
import { MultigradError } from '@multigrad/core/strategy';

/** The variables that a command sees. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command needs besides its words: its environment, its folder, and a signal that stops it. */
export interface CommandContext {
  readonly environment: Environment;
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
}

/** How a command ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end. There is no time-out, since the duration of downloads and compilations depends on the
 * connection and the processor. Their progress is shown, and `signal` ends them.
 *
 * @param grace - how long a program may take to end when it is told to, in milliseconds
 * @returns null where there is no such program, or it cannot be executed
 * @throws the signal's reason once it is aborted and the program has ended
 */
export async function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  { environment, folder, signal }: CommandContext,
  grace = 5000,
): Promise<CommandResult | null> {
  signal?.throwIfAborted();
  const child = spawn(program, args, {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let last: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    // Otherwise a program that ignores SIGTERM would delay Ctrl-C.
    last = setTimeout(() => child.kill('SIGKILL'), grace);
  };
  signal?.addEventListener('abort', stop, { once: true });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => void stdout.push(data));
  child.stderr.on('data', (data: Buffer) => void stderr.push(data));
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'EACCES') resolve(null);
        else reject(error);
      });
      child.once('close', (status, killedBy) => resolve(status ?? (killedBy ? 128 : 1)));
    });
    signal?.throwIfAborted();
    const text = (parts: Buffer[]): string => Buffer.concat(parts).toString('utf8');
    return code === null ? null : { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    signal?.removeEventListener('abort', stop);
    clearTimeout(last);
  }
}

/** Returns the result of a command after a check that it succeeded. */
export function expectSuccess(what: string, result: CommandResult): CommandResult {
  if (result.code === 0) return result;
  const said = lastLines(result.stderr) || lastLines(result.stdout) || 'It said nothing.';
  throw new MultigradError('io', `${what} failed with exit code ${result.code}. ${said}`);
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-12).join('\n');
}
