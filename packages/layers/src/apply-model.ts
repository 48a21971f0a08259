import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { layers, LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';

type Layer = layers.Layer;

/** How a model is applied. */
export interface ApplyOptions {
  /** Whether dropout and batch norm work as in training. */
  readonly training: boolean;
}

/**
 * Applies a model as Keras does: batch norm of a frozen layer or model normalises by its moving statistics, also in
 * training, and leaves them as they are. TensorFlow.js's own `apply` lets it normalise by the batch and move them, although
 * it is not trained.
 *
 * @param inputs - a tensor for each input of the model, in order
 * @returns a tensor for each output, in order; they belong to the caller
 *
 * @example
 * ```ts
 * import { applyModel } from '@multigrad/layers';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 * import { layers, sequential } from '@tensorflow/tfjs-layers';
 *
 * const model = sequential({ layers: [layers.batchNormalization({ inputShape: [1], epsilon: 1e-9 })] });
 * const x = tf.tensor2d([[1], [3]]);
 * console.log(applyModel(model, [x], { training: true })[0]!.arraySync()); // [ [ -1 ], [ 1 ] ]
 * model.layers[0]!.trainable = false;
 * const [y] = applyModel(model, [x], { training: true });
 * console.log(y!.shape); // [ 2, 1 ]: x less 0.02, the moving mean after one step, over the root of about 1
 * ```
 */
export function applyModel(
  model: LayersModel,
  inputs: readonly Tensor[],
  { training }: ApplyOptions,
): Tensor[] {
  const frozen = training ? frozenNormalisations(model, false) : [];
  const restore = frozen.map(inInferenceMode);
  try {
    const outputs = model.apply([...inputs], { training }) as Tensor | Tensor[];
    return Array.isArray(outputs) ? outputs : [outputs];
  } finally {
    for (const putBack of restore) putBack();
  }
}

const normalisations = ['BatchNormalization', 'MultigradBatchNormalization'];

/** Batch norms that are not trained, by themselves or because a layer around them is not. */
function frozenNormalisations(layer: Layer, within: boolean, seen = new Set<Layer>()): Layer[] {
  if (seen.has(layer)) return [];
  seen.add(layer);
  const frozen = within || !layer.trainable;
  const inner = Object.values(layer)
    .flat()
    .filter(isLayer)
    .flatMap((one) => frozenNormalisations(one, frozen, seen));
  return frozen && normalisations.includes(layer.getClassName()) ? [layer, ...inner] : inner;
}

function isLayer(value: unknown): value is Layer {
  return typeof value === 'object' && value !== null && 'trainableWeights' in value;
}

/** Lets a layer work as in inference. @returns what puts it back */
function inInferenceMode(layer: Layer): () => void {
  const before = Object.getOwnPropertyDescriptor(layer, 'call');
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => call(inputs, { ...kwargs, training: false });
  return () => {
    if (before === undefined) delete (layer as { call?: unknown }).call;
    else Object.defineProperty(layer, 'call', before);
  };
}

/**
 * Finds which outputs each layer of a model leads to.
 *
 * @returns by layer: places of outputs
 */
export function outputsBehind(model: LayersModel): ReadonlyMap<Layer, ReadonlySet<number>> {
  const found = new Map<Layer, Set<number>>();
  model.outputs.forEach((output, place) => {
    const seen = new Set<SymbolicTensor>();
    const visit = (tensor: SymbolicTensor): void => {
      if (seen.has(tensor)) return;
      seen.add(tensor);
      const outputs = found.get(tensor.sourceLayer) ?? new Set<number>();
      outputs.add(place);
      found.set(tensor.sourceLayer, outputs);
      tensor.inputs.forEach(visit);
    };
    visit(output);
  });
  return found;
}

/**
 * The penalties of a model's regularizers for each output, as `LayersModel.fit` counts them. A penalty is shared out among
 * the outputs that its layer leads to, so that all of them add up to the model's penalty and none reaches a weight that its
 * loss does not reach.
 *
 * @param places - places of the outputs that have a loss
 * @returns by place of an output: scalars to add to its loss
 */
export function penaltiesOf(
  model: LayersModel,
  behind: ReadonlyMap<Layer, ReadonlySet<number>>,
  places: ReadonlySet<number>,
): ReadonlyMap<number, readonly { readonly penalty: Scalar; readonly share: number }[]> {
  const found = new Map<number, { penalty: Scalar; share: number }[]>();
  for (const layer of model.layers) {
    const reached = [...(behind.get(layer) ?? [])].filter((place) => places.has(place));
    if (reached.length === 0) continue;
    // As many times as the layer stands in the model's graph.
    const nodes = layer.inboundNodes.filter((_, index) =>
      model.containerNodes.has(`${layer.name}_ib-${index}`),
    );
    for (const penalty of nodes.flatMap(() => layer.calculateLosses())) {
      for (const place of reached) {
        const own = found.get(place) ?? [];
        own.push({ penalty, share: 1 / reached.length });
        found.set(place, own);
      }
    }
  }
  return found;
}
