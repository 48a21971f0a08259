import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import { input, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';

/**
 * One symbolic vector for each modality, as the inputs of a fusion.
 *
 * @throws MultigradError `invalid-option` for fewer than two inputs or a length that is no integer >= 1
 */
export function vectorInputs(
  owner: string,
  name: string,
  inputs: Readonly<Record<string, number>>,
): Record<string, SymbolicTensor> {
  assertLayerName(`Option \`name\` of \`${owner}\``, name);
  const lengths = Object.entries(inputs);
  assertTwo(owner, lengths.length);
  const symbols = lengths.map(([modality, length]): [string, SymbolicTensor] => {
    assertLayerName(`A modality in option \`inputs\` of \`${owner}\``, modality);
    if (!Number.isSafeInteger(length) || length < 1) {
      throw new MultigradError(
        'invalid-option',
        `Option \`inputs.${modality}\` of \`${owner}\` should be an integer >= 1. Found ${describeValue(length)}.`,
      );
    }
    return [modality, input({ name: `${name}/${modality}`, shape: [length] })];
  });
  return Object.fromEntries(symbols);
}

/** @throws MultigradError `invalid-option` for fewer than two modalities */
export function assertTwo(owner: string, found: number): void {
  if (found >= 2) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`inputs\` of \`${owner}\` should name at least two modalities. Found ${found}.`,
  );
}
