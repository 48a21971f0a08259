import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';

const script = `
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;
const tf = require(process.argv[1]);
process.stdout.write(tf.backend().binding.isUsingGpuDevice() ? 'gpu' : 'none');
`;

/** How long a driver may take to answer, in milliseconds. Without a limit, a driver that hangs would stop the program. */
const patience = 60_000;

/**
 * Checks whether `@tensorflow/tfjs-node-gpu` finds a GPU. It does so in another process, since a loaded library cannot be
 * unloaded.
 *
 * @param entry - path of the package's entry
 * @param longest - how long it may take, in milliseconds
 *
 * @returns null where a GPU answers, otherwise the reason why none does
 */
export async function probeForGpu(
  entry: string,
  longest: number = patience,
): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script, entry], {
      timeout: longest,
      killSignal: 'SIGKILL',
    });
    return stdout.endsWith('gpu') ? null : 'no GPU answers';
  } catch (error) {
    if ((error as { readonly killed?: boolean }).killed !== true) throw error;
    return `no GPU answers within ${longest / 1000} s`;
  }
}
