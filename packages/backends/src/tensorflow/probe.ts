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

/**
 * Asks another process whether `@tensorflow/tfjs-node-gpu` finds a GPU; a library that was loaded cannot be unloaded.
 *
 * @param entry - path of the package's entry
 *
 * @returns null where one answers, otherwise why not
 */
export async function probeForGpu(entry: string): Promise<string | null> {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script, entry]);
  return stdout.endsWith('gpu') ? null : 'no GPU answers';
}
