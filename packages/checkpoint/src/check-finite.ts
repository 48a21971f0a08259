import { MultigradError } from '@multigrad/core/strategy';
import { type RawTensor, toNumbers } from './safetensors/index.ts';

/**
 * Checks that training can go on from tensors: weights, statistics, averages and memories are finite, and optimizer
 * slots are not NaN. A checkpoint of other tensors would replace one that can be used.
 *
 * @throws MultigradError `non-finite` with the names of the tensors that fail
 */
export function checkFinite(tensors: ReadonlyMap<string, RawTensor>, step: number): void {
  const broken = Array.from(tensors)
    .filter(([name, tensor]) => tensor.dtype === 'F32' && !isSound(name, tensor))
    .map(([name]) => `\`${name}\``);
  if (broken.length === 0) return;
  const more = broken.length > 5 ? ` and ${broken.length - 5} more` : '';
  throw new MultigradError(
    'non-finite',
    `A checkpoint should hold finite numbers, so that training can go on from it. Found NaN or infinity in ${broken.slice(0, 5).join(', ')}${more} after step ${step - 1}. ` +
      'No checkpoint was made, and the earlier ones stay.',
  );
}

function isSound(name: string, tensor: RawTensor): boolean {
  const numbers = toNumbers(tensor) as Float32Array;
  // A user's optimizer may keep a bound that is infinite.
  const bounds = name.startsWith('optimizer/');
  for (const number of numbers) {
    if (Number.isNaN(number) || (!bounds && !Number.isFinite(number))) return false;
  }
  return true;
}
