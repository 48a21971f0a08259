import { input, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** A named stage of an encoder: what `body` does to its input, as a model of its own. */
export function stage(
  name: string,
  shape: readonly (number | null)[],
  body: (x: SymbolicTensor) => SymbolicTensor,
): LayersModel {
  const x = input({ name: `${name}/input`, shape: [...shape] });
  return model({ name, inputs: x, outputs: body(x) });
}
