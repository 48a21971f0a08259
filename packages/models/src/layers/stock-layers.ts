import { MultigradError } from '@multigrad/core/strategy';
import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { BatchNormalization } from './batch-normalization.ts';
import { Dropout } from './dropout.ts';
import { GlobalAverage } from './global-average.ts';
import { LayerNormalization } from './layer-normalization.ts';
import { NormalizedSum } from './normalized-sum.ts';
import type { Shape } from './shape.ts';

/** A layer as a saved topology describes it. */
interface Described {
  class_name: string;
  config: Record<string, unknown>;
  name?: string;
  /** Of each application of the layer, the outputs that it takes: layer, application, output, arguments. */
  inbound_nodes?: readonly (readonly (readonly unknown[])[])[];
}

/** Names of the classes of this package begin with it, so that they meet no other package's. */
const ours = 'Multigrad';

/**
 * Saves a model so that it can be read without this package, as far as TensorFlow.js has layers that compute the same.
 *
 * Batch normalisation, alone and of sums, layer normalisation, global averages and dropout are written as the layers of `tf.layers`, with
 * the same weights: predictions are the same within rounding. Trained further, such a model has dropout masks by chance.
 * Other layers of this package have no equal there. A model that has one is written as it is: whoever reads it calls
 * {@link registerLayers} first, and has every layer of it then.
 *
 * @param handler - where the model goes, as in `model.save`
 * @returns the classes of layers that have no equal in TensorFlow.js, each once; none where plain `tf.loadLayersModel`
 *   reads the model
 * @throws MultigradError `unsupported` for a handler that cannot save
 *
 * @example
 * ```ts
 * import { batchNormalization, saveWithStockLayers } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { type io } from '@tensorflow/tfjs-core';
 * import { input, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
 *
 * const x = input({ shape: [3] });
 * const net = model({ inputs: x, outputs: batchNormalization().apply(x) as SymbolicTensor });
 * let saved: io.ModelArtifacts | undefined;
 * const ownLayers = await saveWithStockLayers(net, {
 *   save: async (artifacts) => {
 *     saved = artifacts;
 *     return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
 *   },
 * });
 * console.log(ownLayers.length); // 0
 * console.log(JSON.stringify(saved).includes('"BatchNormalization"')); // true
 * ```
 */
export async function saveWithStockLayers(
  model: LayersModel,
  handler: io.IOHandler,
): Promise<readonly string[]> {
  const { save } = handler;
  if (save === undefined) {
    throw new MultigradError(
      'unsupported',
      'The handler of `saveWithStockLayers` should have a function `save`. Found none.',
    );
  }
  const kept = new Set<string>();
  await model.save({
    save: (artifacts) => {
      // A copy: the model keeps the topology that it describes itself by.
      const topology = structuredClone(artifacts.modelTopology) as Described;
      replaceLayers(topology, model, kept);
      return save.call(
        handler,
        kept.size > 0 ? artifacts : { ...artifacts, modelTopology: topology },
      );
    },
  });
  return [...kept];
}

/** Replaces the layers of a topology and of the models in it; collects the classes that stay. */
function replaceLayers({ config }: Described, model: LayersModel, kept: Set<string>): void {
  // Functional models have a list within their configuration, sequential ones have it there or are it.
  const layersOf = new Map(model.layers.map((layer) => [layer.name, layer]));
  const byName = (one: Described): layers.Layer | undefined =>
    layersOf.get(one.config['name'] as string);
  const described = (Array.isArray(config) ? config : config['layers']) as Described[];
  for (const one of [...described]) {
    if (byName(one) instanceof NormalizedSum) {
      described.splice(described.indexOf(one), 1, ...normsAndSum(one));
    }
  }
  for (const one of described) {
    const layer = byName(one);
    // Written by `normsAndSum`.
    if (layer === undefined || layer instanceof NormalizedSum) continue;
    if ('layers' in layer) {
      replaceLayers(one, layer as unknown as LayersModel, kept);
      continue;
    }
    const stock = stockOf(layer);
    if (stock !== null) {
      const { name, trainable } = one.config;
      Object.assign(one, { class_name: stock.class_name });
      one.config = { name, trainable, ...stock.config };
    } else if (one.class_name.startsWith(ours)) kept.add(one.class_name);
  }
}

/** A batch normalisation for each input of a {@link NormalizedSum}, under the names that its weights have, and their sum. */
function normsAndSum({ config, inbound_nodes: nodes = [] }: Described): Described[] {
  const { name, trainable, parts, momentum, epsilon } = config as {
    readonly name: string;
    readonly trainable: unknown;
    readonly parts: readonly string[];
    readonly momentum: number;
    readonly epsilon: number;
  };
  const affine = { axis: -1, center: true, scale: true, momentum, epsilon };
  const norms = parts.map((part, input): Described => {
    const own = `${name}/${part}`;
    return {
      ...{
        class_name: 'BatchNormalization',
        name: own,
        config: { name: own, trainable, ...affine },
      },
      inbound_nodes: nodes.map((taken) => [taken[input]!]),
    };
  });
  const sum = {
    ...{ class_name: 'Add', name, config: { name, trainable } },
    inbound_nodes: nodes.map((_, node) => norms.map((norm) => [norm.name, node, 0, {}])),
  };
  return [...norms, sum];
}

/** The layer of TensorFlow.js that computes the same; null where the layer is none of ours, or has no equal. */
function stockOf(layer: layers.Layer): Described | null {
  const { rate, momentum, epsilon } = layer.getConfig();
  const affine = { axis: -1, center: true, scale: true };
  if (layer instanceof BatchNormalization) {
    return { class_name: 'BatchNormalization', config: { ...affine, momentum, epsilon } };
  }
  if (layer instanceof LayerNormalization) {
    return {
      class_name: 'LayerNormalization',
      config: { ...affine, epsilon: LayerNormalization.epsilon },
    };
  }
  if (layer instanceof Dropout) return { class_name: 'Dropout', config: { rate } };
  if (layer instanceof GlobalAverage) {
    // A layer that a part and the whole network share has been applied twice, to one shape.
    const [shape] = layer.inboundNodes[0]!.inputShapes as Shape[];
    return averageOver(shape!);
  }
  return null;
}

function averageOver({ length: rank }: Shape): Described | null {
  switch (rank) {
    case 2:
      return { class_name: 'Activation', config: { activation: 'linear' } };
    case 3:
      return { class_name: 'GlobalAveragePooling1D', config: {} };
    case 4:
      return {
        class_name: 'GlobalAveragePooling2D',
        config: { data_format: 'channels_last' },
      };
    default:
      return null;
  }
}
