import { MultigradError } from '@multigrad/core/strategy';
import { type Command, CommanderError } from 'commander';
import { exitCodeOf, exitCodes } from './shared/exit-codes.ts';
import type { Environment } from './shared/environment.ts';
import { visible } from './shared/visible.ts';
import { missingExperiment } from './commands/missing-experiment.ts';
import { createProgram } from './program.ts';
import type { Ranks } from './training/ranks/ranks.ts';
import { solo } from './training/ranks/solo.ts';

function prepare(command: Command, { print, complain }: Environment): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => print(text.trimEnd()),
    writeErr: (text) => complain(text.trimEnd()),
  });
  command.showHelpAfterError('(see --help)');
  for (const child of command.commands) prepare(child, { print, complain } as Environment);
}

/** Where an option stands right behind a command that takes an experiment first: what to write. */
function missingHint(program: Command | null, [name, flag = '']: readonly string[]): string | null {
  const group = program?.commands.find((command) => command.name() === name);
  return group === undefined ? null : missingExperiment(group, flag.replace(/=.*/s, ''));
}

/**
 * Runs one command line.
 *
 * Nothing is read from or written to the process: what a command prints goes to `environment`.
 *
 * @param args - the arguments without the program's own name
 *
 * @returns the exit code: 0 success, 1 failure, 2 a mistake on the command line, 130 interrupted
 *
 * @example
 * ```ts
 * import { runCommandLine } from '@multigrad/cli';
 *
 * const lines: string[] = [];
 * const exitCode = await runCommandLine(['strategies', '--json'], {
 *   terminal: null,
 *   print: (line) => lines.push(line),
 *   complain: (line) => console.error(line),
 *   folder: '.',
 *   signal: new AbortController().signal,
 * });
 * console.log(exitCode, JSON.parse(lines.join('')).length >= 5); // 0 true
 * ```
 */
export async function runCommandLine(args: readonly string[], given: Environment): Promise<number> {
  return runAsRank(args, given, solo);
}

/** Runs one command line as one of the processes that run it together. */
export async function runAsRank(
  args: readonly string[],
  given: Environment,
  ranks: Ranks,
): Promise<number> {
  const environment: Environment = {
    ...given,
    print: (line) => given.print(visible(line)),
    complain: (line) => given.complain(visible(line)),
  };
  let exitCode: number = exitCodes.success;
  let program: Command | null = null;
  try {
    program = await createProgram(args, {
      environment,
      ranks,
      done: (code) => {
        exitCode = code;
      },
    });
    prepare(program, environment);
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      const hint = error.code === 'commander.unknownOption' ? missingHint(program, args) : null;
      if (hint !== null) environment.complain(hint);
      return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    }
    if (!MultigradError.isInstance(error)) throw error;
    environment.complain(`error: ${error.message}`);
    return exitCodeOf(error.code);
  }
}
