import { checkGradients, type GradientCheck } from '@multigrad/core';
import { useBackend } from '@multigrad/backends';
import * as tf from '@tensorflow/tfjs-core';
import type { Environment } from '../shared/environment.ts';
import { LostThreads } from '../progress/lost-threads.ts';
import { prepareExperiment, type PreparedExperiment } from '../experiments/prepare.ts';
import type { Experiment } from '@multigrad/experiment';
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
  experiment: Experiment,
  settings: Settings,
  seed: number,
  samples: number,
  { print, complain }: Environment,
): Promise<number> {
  tf.enableProdMode();
  const backend = await useBackend(settings['backend'] as string, {
    onThreadLost: new LostThreads(complain).onThreadLost,
  });
  const prepared = await prepareExperiment(experiment, settings, seed);
  try {
    const names = new Map(
      Array.from(prepared.variables, ([name, variable]) => [variable.name, name]),
    );
    const checks = await onFirstBatch(prepared, samples, seed);
    const wrong = checks.filter(({ agrees }) => !agrees);
    for (const { variable, objective, element, gradient, difference } of wrong) {
      complain(
        `Objective \`${objective}\` has a gradient of ${gradient.toPrecision(4)} for element ${element} of \`${names.get(variable) ?? variable}\`. ` +
          `Finite differences give ${difference.toPrecision(4)}.`,
      );
    }
    print(
      `${experiment.title} on ${backend.name}: ${formatCount(checks.length, 'gradient')} of ${formatCount(prepared.variables.size, 'variable')} ` +
        `checked at ${formatCount(samples, 'entry', 'entries')} each; ${wrong.length === 0 ? 'all agree with finite differences' : `${wrong.length} differ`}.`,
    );
    return wrong.length === 0 ? exitCodes.success : exitCodes.failure;
  } finally {
    prepared.dispose();
  }
}

async function onFirstBatch(
  prepared: PreparedExperiment,
  samples: number,
  seed: number,
): Promise<GradientCheck[]> {
  for await (const batch of prepared.train(0)) {
    const statistics = [...prepared.statistics.values()];
    const before = statistics.map((variable) => tf.clone(variable));
    try {
      const forward = (): ReturnType<PreparedExperiment['objectives']> =>
        prepared.objectives(batch, { training: true, step: 0 });
      return await checkGradients(forward, [...prepared.variables.values()], { samples, seed });
    } finally {
      statistics.forEach((variable, index) => variable.assign(before[index]!));
      tf.dispose([before, batch]);
    }
  }
  return [];
}
