import { resolve } from 'node:path';
import {
  findNativeBuilds,
  installNative,
  type InstallNativeOptions,
  type NativeBuild,
  nativeFolder,
} from '@multigrad/backends/native';
import { Command } from 'commander';
import type { Environment } from '../shared/environment.ts';
import { installationProgress } from '../backends/installation.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import type { CommandContext } from './command.ts';

/** What the user may write behind `native install`. */
interface Written {
  readonly gpu?: true;
  readonly tensorflow?: string;
  readonly wheel?: string;
  readonly folder?: string;
  readonly force?: true;
}

const notes = `
Needs a C++ compiler, and Python with pip for the download alone (none with --wheel). About 0.3 GB are fetched, 0.9 GB
stay on the disk; with --gpu several times as much. No root. What was interrupted goes on where it stopped.
Builds lie in $MULTIGRAD_NATIVE, else in multigrad/native below $XDG_CACHE_HOME or ~/.cache.`;

/** `multigrad native`: installs native TensorFlow and lists what is installed. */
export function nativeCommand({ environment, done }: CommandContext): Command {
  const native = new Command();
  native
    .command('install')
    .description('Fetch the TensorFlow library of the Python wheel and build the addon for it.')
    .option('--gpu', 'TensorFlow for CUDA devices, with its CUDA libraries.')
    .option(
      '--tensorflow <version>',
      'Version of TensorFlow. (default: the one tried with this program)',
    )
    .option('--wheel <file>', 'A wheel of TensorFlow that you have fetched.')
    .option('--folder <folder>', 'Where builds lie.')
    .option('--force', 'Build anew what is there already.')
    .addHelpText('after', notes)
    .action(async (written: Written) => done(await install(written, environment)));
  native
    .command('list')
    .description('List the builds of native TensorFlow.')
    .action(() => {
      for (const line of listLines(findNativeBuilds())) environment.print(line);
      done(exitCodes.success);
    });
  return native;
}

async function install(
  { gpu, tensorflow, wheel, folder, force }: Written,
  { terminal, print, complain, folder: here, signal }: Environment,
): Promise<number> {
  const progress = installationProgress(terminal, print);
  const options: InstallNativeOptions = {
    gpu,
    tensorflow,
    wheel: wheel === undefined ? undefined : resolve(here, wheel),
    folder: folder === undefined ? undefined : resolve(here, folder),
    force,
    signal,
    onProgress: progress.update,
  };
  let build: NativeBuild;
  try {
    build = await installNative(options);
  } catch (error) {
    progress.end();
    if (!signal.aborted) throw error;
    complain('Interrupted: the same command goes on after the last step that was completed.');
    return exitCodes.interrupted;
  }
  progress.end();
  print(`TensorFlow ${build.tensorflow} is ready, ${where(build)}: ${build.folder}`);
  if (options.folder !== undefined && options.folder !== nativeFolder()) {
    print(`It is found where MULTIGRAD_NATIVE=${options.folder} is set.`);
  }
  return exitCodes.success;
}

function listLines(builds: readonly NativeBuild[]): string[] {
  if (builds.length === 0) {
    return [
      `No build of native TensorFlow in ${nativeFolder()}. \`npx multigrad native install\` makes one.`,
    ];
  }
  return builds.map((build) => `TensorFlow ${build.tensorflow}, ${where(build)}: ${build.folder}`);
}

function where({ device, gpu }: NativeBuild): string {
  if (device === 'cpu') return 'for processors';
  return gpu ? 'for CUDA devices' : 'for CUDA devices (none answered when it was built)';
}
