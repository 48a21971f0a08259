import { MultigradError } from '@multigrad/core/strategy';
import { type CommandContext, runCommand } from './run-command.ts';

/** A program on the path, and the words that come before its arguments. */
export type Tool = readonly [string, ...string[]];

/** A C++ compiler that was found. */
export interface Compiler {
  readonly tool: Tool;
  /** The first line that it prints for `--version`. */
  readonly version: string;
}

/** Finds the compiler that the variable `CXX` names, or else c++, g++ or clang++. */
export async function findCompiler(context: CommandContext): Promise<Compiler> {
  const given = context.environment['CXX'];
  const names = given === undefined || given === '' ? ['c++', 'g++', 'clang++'] : [given];
  for (const name of names) {
    const result = await runCommand([name, '--version'], context);
    if (result?.code === 0) return { tool: [name], version: result.stdout.split('\n')[0]!.trim() };
  }
  throw missing(
    `a C++ compiler (looked for ${names.join(', ')})`,
    'Install one (Debian: g++; Fedora: gcc-c++; or clang), or name it in the variable CXX.',
  );
}

/** Finds pip, as a module of Python or as a command. It is needed for downloads only. */
export async function findPip(context: CommandContext): Promise<Tool> {
  const tools: Tool[] = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];
  let python = false;
  for (const tool of tools) {
    const result = await runCommand([...tool, '--version'], context);
    if (result?.code === 0) return tool;
    if (result !== null && tool.length > 1) python = true;
  }
  throw missing(
    python ? 'pip (Python is there, its package manager is not)' : 'Python with pip',
    'It fetches the wheel and is not needed afterwards (Debian: python3-pip). ' +
      'Or fetch the wheel by other means and name the file with --wheel.',
  );
}

/** Finds npm, which comes with Node. */
export async function findNpm(context: CommandContext): Promise<Tool> {
  const result = await runCommand(['npm', '--version'], context);
  if (result?.code === 0) return ['npm'];
  throw missing('npm', 'It fetches the sources of the addon and comes with Node.');
}

function missing(what: string, remedy: string): MultigradError {
  return new MultigradError(
    'unsupported',
    `Native TensorFlow cannot be installed: this machine lacks ${what}. ${remedy}`,
  );
}
