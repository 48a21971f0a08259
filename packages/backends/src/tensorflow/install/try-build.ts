import process from 'node:process';
import { MultigradError } from '@multigrad/core/strategy';
import { type CommandContext, runCommand } from './run-command.ts';

/** What a build reports when it is loaded. */
export interface TriedBuild {
  readonly tensorflow: string;
  /** Whether the build found a GPU. */
  readonly gpu: boolean;
}

// Runs in a process of its own: a library that does not fit the machine may crash the process, and cannot be unloaded.
const script = `
const { silently } = require('./addon/quiet.node');
const { TF_Version, isUsingGpuDevice } = silently(() => require('./addon/tfjs_binding.node'));
process.stdout.write('\\n' + JSON.stringify({ tensorflow: TF_Version, gpu: isUsingGpuDevice() }));
`;

/** Loads a build in another process. */
export async function tryBuild(tree: string, context: CommandContext): Promise<TriedBuild> {
  const result = await runCommand([process.execPath, '-e', script], { ...context, folder: tree });
  const said = result!.stdout.split('\n').at(-1)!;
  if (result!.code === 0 && said.startsWith('{')) return JSON.parse(said) as TriedBuild;
  const reason = result!.stderr.trim().split('\n').slice(-6).join('\n');
  throw new MultigradError(
    'unsupported',
    `The build was made but does not load (exit code ${result!.code}). ${reason}`,
  );
}
