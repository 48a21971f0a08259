import { checkGradients, type GradientCheck } from '@multigrad/core';
import { useBackend } from '@multigrad/backends';
import * as tf from '@tensorflow/tfjs-core';
import type { Environment } from '../shared/environment.ts';
import { LostThreads } from '../progress/lost-threads.ts';
import type { Experiment } from '../experiments/experiment.ts';
import type { Recipe } from '../experiments/recipe.ts';
import { formatCount } from '../shared/wording.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import type { Settings } from '../runs/settings.ts';

/**
 * Compares an experiment's gradients with finite differences, on its first batch and initial weights.
 *
 * @param samples - entries of each variable that are tried
 * @returns the exit code: failure where one differs
 */
export async function check(
  recipe: Recipe,
  settings: Settings,
  seed: number,
  samples: number,
  { print, complain }: Environment,
): Promise<number> {
  tf.enableProdMode();
  const backend = await useBackend(settings['backend'] as string, new LostThreads(complain));
  const experiment = await recipe.open(settings, seed);
  try {
    const names = new Map(
      Array.from(experiment.variables, ([name, variable]) => [variable.name, name]),
    );
    const checks = await onFirstBatch(experiment, samples, seed);
    const wrong = checks.filter(({ agrees }) => !agrees);
    for (const { variable, objective, element, gradient, difference } of wrong) {
      complain(
        `Objective \`${objective}\` has a gradient of ${gradient.toPrecision(4)} for element ${element} of \`${names.get(variable) ?? variable}\`. ` +
          `Finite differences give ${difference.toPrecision(4)}.`,
      );
    }
    print(
      `${recipe.title} on ${backend.name}: ${formatCount(checks.length, 'gradient')} of ${formatCount(experiment.variables.size, 'variable')} ` +
        `checked at ${formatCount(samples, 'entry', 'entries')} each; ${wrong.length === 0 ? 'all agree with finite differences' : `${wrong.length} differ`}.`,
    );
    return wrong.length === 0 ? exitCodes.success : exitCodes.failure;
  } finally {
    experiment.dispose();
  }
}

async function onFirstBatch(
  experiment: Experiment,
  samples: number,
  seed: number,
): Promise<GradientCheck[]> {
  for await (const batch of experiment.train(0)) {
    const statistics = [...experiment.statistics.values()];
    const before = statistics.map((variable) => tf.clone(variable));
    try {
      const forward = (): ReturnType<Experiment['objectives']> =>
        experiment.objectives(batch, { training: true });
      return await checkGradients(forward, [...experiment.variables.values()], { samples, seed });
    } finally {
      statistics.forEach((variable, index) => variable.assign(before[index]!));
      tf.dispose([before, batch]);
    }
  }
  return [];
}
