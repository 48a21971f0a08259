import type { Json } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancedNetwork, ByModality } from '../contract/network.ts';
import type { BalancedPass, BalancingMethod } from '../contract/method.ts';
import { masksIn } from '../driver/drawn-samples.ts';
import { onePass } from '../driver/one-pass.ts';

/**
 * What a method returns for a forward pass over a batch, in a state; new tensors that belong to the caller. For tests of
 * equations on fixed tensors.
 */
export function passOf(
  method: Pick<BalancingMethod, 'objectives' | 'tensors'>,
  network: BalancedNetwork,
  batch: ByModality & { readonly label: tf.Tensor },
  state: Json,
  step = 0,
): BalancedPass {
  const body = (): BalancedPass => {
    const pass = onePass({
      network,
      inputs: Object.fromEntries(network.modalities.map((one) => [one, batch[one]!])),
      labels: batch.label as tf.Tensor1D,
      masks: masksIn(batch, network.modalities),
      mode: { training: true, step },
      tensors: method.tensors?.(state) ?? {},
    });
    return method.objectives!(pass, state);
  };
  return tf.tidy(body as unknown as () => tf.TensorContainerObject) as unknown as BalancedPass;
}
