import { MultigradError } from '../base/errors.ts';
import type { TapeNode } from '../tape/tape-internals.ts';
import { nameOf } from './operation.ts';

/** Makes the error for an operation through which one sample's loss depends on another sample. */
export function mixedSamples(node: TapeNode): MultigradError {
  const shapes = Object.values(node.inputs).map(({ shape }) => `[${shape.join(', ')}]`);
  const outputs = node.outputs.map(({ shape }) => `[${shape.join(', ')}]`);
  return new MultigradError(
    'unsupported',
    "With per-sample objectives each sample's loss should depend on that sample alone. " +
      `Found ${nameOf(node)} (${shapes.join(', ')} to ${outputs.join(', ')}), which computes a sample from others of the batch. ` +
      'Batch norm in training does so: use layer norm, or batch norm in inference, and keep the first axis of the batch for samples.',
  );
}
