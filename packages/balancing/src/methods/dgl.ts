import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import type { ByModality } from '../contract/network.ts';
import type { Pass } from '../contract/pass.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf, onlyFeatures } from '../support/alone.ts';
import { entry, record } from '../support/by-name.ts';
import { classLabels, type ClassLabels, crossEntropy } from '../support/class-labels.ts';
import { constant, knownLoss } from '../support/constants.ts';

const dglOptions = {
  /** Weight α of the encoders' own losses, > 0. @defaultValue 4 */
  alpha: {
    kind: 'number',
    default: 4,
    exclusiveMinimum: 0,
    description: "Weight of the encoders' own losses, > 0.",
  },
} as const;

/** Options of {@link dgl}. */
export interface DglOptions extends OptionsOf<typeof dglOptions> {}

/**
 * Disentangled gradient learning: encoders learn from losses of their own, fusion and joint head from the joint one.
 *
 * With encoders φ_k, fusion and joint head h, and `sg` a stop of gradients: the joint objective is
 * `CE(h(sg(φ_1(x_1)), …, sg(φ_M(x_M))))`, which reaches no encoder. The objective of modality k is
 * `α CE(h̄(0, …, φ_k(x_k), …, 0)) + CE(head_k(sg(φ_k(x_k))))`: h̄ is h with constant weights, so its first term reaches encoder k
 * alone; its second trains the modality's own head, to tell how well it does.
 *
 * Strategies then find no encoder that two objectives reach, so all of them train alike but for their weights.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { dgl } from '@multigrad/balancing';
 *
 * console.log(dgl({ alpha: 1 }).name); // dgl
 * ```
 *
 * @see Wei, Luo and Luo, "Boosting Multimodal Learning via Disentangled Gradient Learning", ICCV 2025
 * (https://arxiv.org/abs/2507.10213)
 */
export function dgl(options: DglOptions = {}): BalancingMethod<null> {
  const { alpha } = resolveOptions('dgl', dglOptions, options);
  return {
    specification: 1,
    name: 'dgl',
    needs: {},
    init: () => null,
    objectives: (pass) => {
      const { network } = pass;
      const features = pass.features();
      const labels = classLabels(pass.labels, network.classes);
      const fixed = record(network.modalities, (modality) =>
        constant(() => tf.clone(entry(features, modality))),
      );
      const objectives = pass.objectivesFrom(fixed);
      const own = record(network.modalities, (modality) => {
        const { value, slope } = lossAlone(pass, fixed, modality, labels);
        const z = entry(features, modality);
        const alone = knownLoss(tf.mul(value, alpha), tf.mul(slope, alpha), z);
        const measured = entry(objectives, modality);
        return { ...measured, loss: tf.add(measured.loss, alone) };
      });
      return { objectives: { ...objectives, ...own } };
    },
  };
}

/** The joint head's loss on one modality's features, the others zero, and its derivative by these features. */
function lossAlone(
  { network, mode }: Pass,
  features: ByModality,
  modality: string,
  labels: ClassLabels,
): { readonly value: tf.Tensor; readonly slope: tf.Tensor } {
  const nothing = onlyFeatures(features, []);
  const loss = tf.valueAndGrad((z: tf.Tensor) => {
    const logits = network.logits({ ...nothing, [modality]: z }, mode);
    return crossEntropy(entry(logits, jointOf(network)), labels);
  });
  const { value, grad } = loss(entry(features, modality));
  return { value, slope: grad };
}

/** The plugin of {@link dgl}. */
export const plugin: BalancingPlugin<DglOptions> = defineBalancing({
  specification: 1,
  name: 'dgl',
  title: 'DGL',
  summary: 'Encoders learn from losses of their own, fusion and joint head from the joint one.',
  paper: {
    title: 'Boosting Multimodal Learning via Disentangled Gradient Learning',
    authors: ['Shicai Wei', 'Chunbo Luo', 'Yang Luo'],
    venue: 'ICCV',
    year: 2025,
    url: 'https://arxiv.org/abs/2507.10213',
  },
  formula:
    'L_joint = CE(h(sg(z_1), …, sg(z_M))), L_k = α CE(h̄(0, …, z_k, …, 0)) + CE(head_k(sg(z_k))), h̄ with constant weights',
  use: 'When the joint loss holds encoders back that learn more by themselves.',
  serves: 'two or more modalities; any fusion',
  deviations: [
    'The modalities’ own heads, which the paper has not, learn from features that count as constants; no encoder depends on them.',
  ],
  options: dglOptions,
  create: dgl,
});
