import { add, customGrad, mul, scalar, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import type { Forward } from './integrate-options.ts';
import { checkLosses } from '../contract/check-losses.ts';
import type { PresentObjective } from '../network/objectives.ts';
import { readTogether } from '../tape/read-back.ts';
import { recordForward } from '../network/passes.ts';
import { type RunVariable, tensorsOf } from '../network/run-variables.ts';
import type { BackwardPlans } from '../tape/backward-plans.ts';
import { scoped, TensorBag } from '../tape/ownership.ts';
import { samplesOf, sampleTensors, scalarsOf, sortNumbers } from '../network/numbers.ts';

/** One part of a batch that is too large for one forward pass. */
export interface MicroBatch {
  readonly forward: Forward;
  /** Its number of samples, > 0. */
  readonly samples: number;
}

/** Sums of one objective over the parts so far. */
interface Accumulated {
  samples: number;
  loss: number;
  readonly metrics: Map<string, number>;
  /** By variable name: the sum over the parts of gradient · samples · loss scale. */
  readonly gradients: Map<string, Tensor>;
}

/**
 * Computes the gradients of a batch part by part, and frees each part's forward pass before the next one runs.
 *
 * The result is a forward function of the whole batch: the value of each objective is the mean of its losses, its gradient
 * the mean of its gradients, weighted by samples. Only the parts in which an objective is present count for it, and only its
 * labelled samples where it says how many they are.
 *
 * Each part costs one backward pass for each objective, whatever the strategy needs.
 *
 * @param lossScale - the loss scale of the step that will use the forward function
 * @param plans - count the backward passes of the parts
 * @returns the forward function, and `dispose` to call after that step
 * @throws MultigradError `non-finite` when a part's loss is NaN or infinite, `unsupported` for gradients at features
 */
export async function accumulateGradients(
  parts: readonly MicroBatch[],
  variables: readonly RunVariable[],
  step: number,
  lossScale = 1,
  plans: BackwardPlans | null = null,
): Promise<{ readonly forward: Forward; readonly dispose: () => void }> {
  const bag = new TensorBag();
  const objectives = new Map<string, Accumulated>();
  try {
    for (const part of parts) {
      await addPart(part, variables, step, lossScale, objectives, bag);
      plans?.countPlain('parts of `accumulate`');
    }
  } catch (error) {
    bag.dispose();
    throw error;
  }
  return {
    forward: () => surrogate(objectives, variables, lossScale),
    dispose: () => bag.dispose(),
  };
}

async function addPart(
  { forward, samples }: MicroBatch,
  variables: readonly RunVariable[],
  step: number,
  lossScale: number,
  objectives: Map<string, Accumulated>,
  bag: TensorBag,
): Promise<void> {
  const own = new TensorBag();
  const tape = recordForward(forward, own, true);
  try {
    const { objectives: all, features } = tape.value;
    if (features !== null) {
      throw new MultigradError(
        'unsupported',
        "Gradients cannot be accumulated at features, which differ from part to part. Use `level: 'parameters'`.",
      );
    }
    if (all.some(({ losses }) => losses !== null)) {
      throw new MultigradError(
        'unsupported',
        'Gradients cannot be accumulated with per-sample objectives: inner products of samples of different parts would be missing. ' +
          'Found `perSample` in a part of a batch.',
      );
    }
    const paths = tape.paths(tensorsOf(variables));
    const ofAll = samplesOf(all, await readTogether(sampleTensors(all)), samples);
    // The mean over no samples counts for nothing, whatever number it is.
    const present = all.filter((_, k) => ofAll[k]! > 0);
    const counts = ofAll.filter((count) => count > 0);
    present.forEach(({ name, loss }, k) => {
      const count = counts[k]!;
      const sum = objectives.get(name) ?? newSum();
      objectives.set(name, sum);
      sum.samples += count;
      const seed = { tensor: loss, gradient: own.keep(scalar(lossScale)) };
      const found = own.keepAll(tape.backward([seed], paths));
      variables.forEach((variable, index) => {
        const gradient = found[index] ?? null;
        if (gradient === null) return;
        const before = sum.gradients.get(variable.name);
        const scaled = scoped(() => {
          const weighted = mul(gradient, count);
          return before === undefined ? weighted : add(before, weighted);
        });
        sum.gradients.set(variable.name, bag.keep(scaled));
        if (before !== undefined) bag.give(before).dispose();
      });
    });
    await addNumbers(present, counts, step, objectives);
  } finally {
    tape.dispose();
    own.dispose();
  }
}

async function addNumbers(
  present: readonly PresentObjective[],
  counts: readonly number[],
  step: number,
  objectives: ReadonlyMap<string, Accumulated>,
): Promise<void> {
  const { losses, metrics } = sortNumbers(present, await readTogether(scalarsOf(present)));
  checkLosses(
    present.map(({ name }) => name),
    losses,
    step,
  );
  present.forEach(({ name }, k) => {
    const sum = objectives.get(name)!;
    const samples = counts[k]!;
    sum.loss += losses[k]! * samples;
    for (const [metric, value] of Object.entries(metrics[k]!)) {
      sum.metrics.set(metric, (sum.metrics.get(metric) ?? 0) + value * samples);
    }
  });
}

function newSum(): Accumulated {
  return { samples: 0, loss: 0, metrics: new Map(), gradients: new Map() };
}

/** Objectives for a new forward pass, with the accumulated values and gradients. */
function surrogate(
  objectives: ReadonlyMap<string, Accumulated>,
  variables: readonly RunVariable[],
  lossScale: number,
): Record<string, { loss: Scalar; metrics: Record<string, Scalar>; samples: number }> {
  return Object.fromEntries(
    Array.from(objectives, ([name, { samples, loss, metrics, gradients }]) => {
      const reached = variables.filter((variable) => gradients.has(variable.name));
      const objective = customGrad((...inputs: unknown[]) => ({
        // TensorFlow.js passes a function for saving tensors as the last input; nothing is saved here.
        value: scalar(loss / samples),
        // Both the sums and `dy` contain the loss scale: one of the two is taken out.
        gradFunc: (dy: Tensor) => {
          const factor = mul(mul(dy, 1 / lossScale), 1 / samples);
          return inputs
            .slice(0, reached.length)
            .map((_, index) => mul(gradients.get(reached[index]!.name)!, factor));
        },
      }));
      return [
        name,
        {
          loss:
            reached.length === 0
              ? scalar(loss / samples)
              : (objective(...tensorsOf(reached)) as Scalar),
          metrics: Object.fromEntries(
            Array.from(metrics, ([metric, value]) => [metric, scalar(value / samples)]),
          ),
          samples,
        },
      ];
    }),
  );
}
