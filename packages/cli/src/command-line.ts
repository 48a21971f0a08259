import { MultigradError } from '@multigrad/core/strategy';
import { type Command, CommanderError } from 'commander';
import { exitCodeOf, exitCodes } from './commands/exit-codes.ts';
import type { Environment } from './environment.ts';
import { createProgram } from './program.ts';

function prepare(command: Command, { print, complain }: Environment): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => print(text.trimEnd()),
    writeErr: (text) => complain(text.trimEnd()),
  });
  command.showHelpAfterError('(see --help)');
  for (const child of command.commands) prepare(child, { print, complain } as Environment);
}

/**
 * Runs one command line.
 *
 * @param args - the arguments without the program's own name
 * @returns the exit code: 0 success, 1 failure, 2 a mistake on the command line, 130 interrupted
 */
export async function runCommandLine(
  args: readonly string[],
  environment: Environment,
): Promise<number> {
  let exitCode: number = exitCodes.success;
  const program = createProgram(environment, (code) => {
    exitCode = code;
  });
  prepare(program, environment);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    if (!MultigradError.isInstance(error)) throw error;
    environment.complain(`error: ${error.message}`);
    return exitCodeOf(error.code);
  }
}
