import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, LayerVariable, SymbolicTensor } from '@tensorflow/tfjs-layers';

/** The trainable variables of a part, in the order of its layers. */
export function trainableVariables(part: Pick<LayersModel, 'trainableWeights'>): tf.Variable[] {
  return variablesOf(part.trainableWeights);
}

/** The variables behind weights. */
export function variablesOf(weights: readonly LayerVariable[]): tf.Variable[] {
  return weights.map(variableOf);
}

/** The trainable variables on the paths from a model's inputs to one of its outputs. */
export function variablesBehind(output: SymbolicTensor): tf.Variable[] {
  const seen = new Set<SymbolicTensor>();
  const found = new Set<LayerVariable>();
  const visit = (tensor: SymbolicTensor): void => {
    if (seen.has(tensor)) return;
    seen.add(tensor);
    tensor.inputs.forEach(visit);
    for (const weight of tensor.sourceLayer.trainableWeights) found.add(weight);
  };
  visit(output);
  return variablesOf([...found]);
}

/** The weights of a model that belong to none of `parts`. */
export function weightsBeyond(whole: LayersModel, parts: readonly LayersModel[]): LayerVariable[] {
  const known = new Set(parts.flatMap(({ weights }) => weights));
  return whole.weights.filter((weight) => !known.has(weight));
}

/**
 * All weights of some parts by the names they were made with, moving statistics included.
 *
 * A `tf.Variable`'s own name is made unique in the process: of a second network it reads `gray/conv1/kernel_1`. These
 * names are the same for every network of the same make, so they suit checkpoints.
 *
 * @throws MultigradError `invalid-option` when two weights have the same name
 */
export function namedVariables(
  parts: readonly Pick<LayersModel, 'weights'>[],
): Map<string, tf.Variable> {
  const named = new Map<string, tf.Variable>();
  for (const part of parts) {
    for (const weight of part.weights) {
      const name = weight.originalName;
      if (named.has(name)) {
        throw new MultigradError(
          'invalid-option',
          `Each part of a network should be a model of its own, with layer names of its own. ` +
            `Found two weights called \`${name}\`: give the encoders different names.`,
        );
      }
      named.set(name, variableOf(weight));
    }
  }
  return named;
}

/** The `tf.Variable` that a layer's variable holds; its declared type says `Tensor`. */
function variableOf(weight: LayerVariable): tf.Variable {
  const variable: unknown = weight.read();
  if (variable instanceof tf.Variable) return variable as tf.Variable;
  throw new MultigradError(
    'invalid-argument',
    `Weight \`${weight.originalName}\` should be held by a tf.Variable. Found ${describeValue(variable)}.`,
  );
}
