import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import { LayersModel } from '@tensorflow/tfjs-layers';

/** A trunk, or for schemes that need several a function that makes one whose name is `name`. */
export type Trunk = LayersModel | ((name: string) => LayersModel);

/**
 * Makes trunks from the option, each once, and checks them.
 *
 * @throws MultigradError `invalid-option`
 */
export function trunkMaker(trunk: unknown): {
  readonly make: (name: string) => LayersModel;
  readonly made: LayersModel[];
} {
  const made: LayersModel[] = [];
  const make = (name: string): LayersModel => {
    const own: unknown =
      typeof trunk === 'function' ? (trunk as (name: string) => unknown)(name) : trunk;
    if (!isTrunk(own)) {
      throw new MultigradError(
        'invalid-option',
        'Option `trunk` of `multiTaskNetwork` should be a LayersModel from one input to features of known size, or a ' +
          `function that makes one of the name it is given. Found ${describeValue(own)}.`,
      );
    }
    if (made.includes(own) || (typeof trunk !== 'function' && made.length > 0)) {
      throw new MultigradError(
        'invalid-option',
        'Option `trunk` of `multiTaskNetwork` should be a function that makes a new trunk at each call, for a sharing ' +
          'scheme with several of them. Found one and the same LayersModel.',
      );
    }
    const { shape } = own.inputs[0]!;
    const expected = made[0]?.inputs[0]!.shape ?? shape;
    if (String(shape) !== String(expected)) {
      throw new MultigradError(
        'invalid-option',
        `Option \`trunk\` of \`multiTaskNetwork\` should make trunks that take the same input. Found [${shape.slice(1).join(', ')}] ` +
          `of \`${own.name}\` beside [${expected.slice(1).join(', ')}].`,
      );
    }
    made.push(own);
    return own;
  };
  return { make, made };
}

function isTrunk(value: unknown): value is LayersModel {
  return (
    value instanceof LayersModel &&
    value.inputs.length === 1 &&
    value.outputs.length === 1 &&
    value.outputs[0]!.shape.length >= 2 &&
    value.outputs[0]!.shape.slice(1).every((size) => size !== null)
  );
}
