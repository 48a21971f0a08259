import { MultigradError } from '@multigrad/core/strategy';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import type { Shape } from '../layers/shape.ts';

/** A stage, and the shape of what it returns. */
export interface Stage {
  readonly layer: layers.Layer;
  readonly shape: Shape;
}

/**
 * The stages of an encoder: its layers, and models within it, in their order. The encoder must be a plain chain of
 * them.
 *
 * @throws MultigradError `unsupported` for an encoder that branches at its outermost level
 */
export function stagesOf(encoder: LayersModel): Stage[] {
  const stages: Stage[] = [];
  let tensor = encoder.outputs[0]!;
  while (tensor.inputs.length > 0) {
    if (tensor.inputs.length > 1) {
      throw new MultigradError(
        'unsupported',
        `An encoder with exchanges between its stages should be a chain of layers or models. ` +
          `Found that layer \`${tensor.sourceLayer.name}\` of \`${encoder.name}\` joins ${tensor.inputs.length} tensors: ` +
          'make each branching part a LayersModel of its own.',
      );
    }
    stages.unshift({ layer: tensor.sourceLayer, shape: tensor.shape });
    tensor = tensor.inputs[0]!;
  }
  return stages;
}

/**
 * Where the stages called `names` end, as positions in `stages`; a stage is called by its layer's name, with or without
 * the encoder's before it.
 *
 * @throws MultigradError `invalid-option` for a stage that is absent or out of order
 */
export function stageEnds(
  owner: string,
  encoder: LayersModel,
  stages: readonly Stage[],
  names: readonly string[],
): number[] {
  const known = stages.map(({ layer: { name } }) =>
    name.startsWith(`${encoder.name}/`) ? name.slice(encoder.name.length + 1) : name,
  );
  const ends = names.map((name) => {
    const at = Math.max(
      known.indexOf(name),
      stages.findIndex((stage) => stage.layer.name === name),
    );
    if (at >= 0) return at + 1;
    throw new MultigradError(
      'invalid-option',
      `Option \`${owner}.after\` should name stages of \`${encoder.name}\`: ${known.join(', ')}. Found ${JSON.stringify(name)}.`,
    );
  });
  if (ends.every((end, k) => k === 0 || end > ends[k - 1]!)) return ends;
  throw new MultigradError(
    'invalid-option',
    `Option \`${owner}.after\` should name each stage once, in the encoder's order: ${known.join(', ')}. ` +
      `Found ${names.join(', ')}.`,
  );
}
