import type { Objectives } from '@multigrad/core';
import { MultigradError, own } from '@multigrad/core/strategy';
import { add, gather, mean, mul, reshape, type Tensor } from '@tensorflow/tfjs-core';
import type { penaltiesOf } from './apply-model.ts';
import type { ModelBatch, Targets } from './model-batches.ts';
import type { ModelOutput } from './outputs.ts';

/**
 * Losses and metrics of a model's outputs, means over the samples that have a target; an output without one is left out.
 *
 * @param predictions - all outputs of the model in their order
 * @param penalties - what regularizers add to the loss of an output, by its place
 * @throws MultigradError `invalid-objective` for a loss that does not fit
 */
export function measureOutputs<Name extends string>(
  outputs: readonly ModelOutput[],
  predictions: readonly Tensor[],
  targetsByName: ModelBatch['targets'],
  penalties: ReturnType<typeof penaltiesOf>,
): Objectives<Name> {
  const objectives = outputs.flatMap(({ place, port, loss, metrics }) => {
    const targets = own(targetsByName, port.name);
    if (targets === undefined) return [];
    const { labels, rows } = targets;
    const output = predictions[place]!;
    const predicted = rows === null ? output : gather(output, rows);
    const measured = {
      loss: (penalties.get(place) ?? []).reduce<Tensor>(
        (sum, { penalty, share }) => add(sum, mul(penalty, share)),
        mean(weighted(port.name, loss(labels, predicted), targets)),
      ),
      metrics: Object.fromEntries(
        Object.entries(metrics).map(([name, metric]) => [name, mean(metric(labels, predicted))]),
      ),
      ...(rows === null ? {} : { samples: rows.size }),
    };
    return [[port.name, measured] as const];
  });
  return Object.fromEntries(objectives) as Objectives<Name>;
}

/** The losses of samples, each times its weight. */
function weighted(name: string, loss: Tensor, { weights }: Targets): Tensor {
  if (weights === null) return loss;
  if (loss.rank === 0) {
    throw new MultigradError(
      'invalid-objective',
      `The loss of \`${name}\` should be one number for each sample where samples or classes have weights. Found a scalar: ` +
        'return the losses before their mean, as those of `tf.metrics` do.',
    );
  }
  return mul(loss, reshape(weights, [weights.size, ...loss.shape.slice(1).map(() => 1)]));
}
