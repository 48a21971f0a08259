import { contract } from './checks/contract.ts';
import { history } from './checks/history.ts';
import { homogeneity } from './checks/homogeneity.ts';
import { nonConflicting } from './checks/non-conflicting.ts';
import { permutation } from './checks/permutation.ts';
import { rowScaling } from './checks/row-scaling.ts';
import { singleObjective } from './checks/single-objective.ts';
import { stationarity } from './checks/stationarity.ts';
import type { TestRunner } from './runner.ts';
import { type ConformanceOptions, subjectOf } from './subject.ts';

/**
 * Registers the tests that a gradient-integration strategy has to pass: those of the contract, which every strategy
 * follows, and those of the properties that it is said to have, or not to have.
 *
 * Runs on generated gradients of 1 to 5 objectives (random, conflicting, aligned, badly scaled, duplicated, dependent),
 * over several steps, with plain numbers and no tensor library. A failure shows the smallest case found and the seed
 * that repeats it.
 *
 * Always tested: the plugin's description; finite answers for zero, duplicated, opposite, dependent and extreme
 * gradients, and for 64 objectives; that nothing shown is changed; objectives dropped, returned and reordered between
 * steps; the same bits from the same seed, and from a state that went through JSON; that another seed draws otherwise.
 *
 * @param runner - `describe` and `it` of vitest, jest, node:test or any other runner
 * @throws Error for options that do not fit
 *
 * @example
 * ```ts
 * import { strategyConformance } from '@multigrad/conformance';
 * import { plugin } from '@multigrad/strategy-mgda';
 * import { describe, it } from 'node:test';
 *
 * // The plugin says what MGDA promises: no objective gets worse, and so on.
 * strategyConformance({ describe, it }, { plugin });
 * ```
 */
export function strategyConformance(runner: TestRunner, options: ConformanceOptions): void {
  const subject = subjectOf(options);
  const sections = {
    'the contract': contract(subject),
    'steps and states': history(subject),
    properties: {
      ...nonConflicting(subject),
      ...permutation(subject),
      ...homogeneity(subject),
      ...rowScaling(subject),
      ...singleObjective(subject),
      ...stationarity(subject),
    },
  };
  const { title } = options;
  runner.describe(title ?? `${subject.plugin.name}, conformance`, () => {
    for (const [section, tests] of Object.entries(sections)) {
      runner.describe(section, () => {
        for (const [name, test] of Object.entries(tests)) runner.it(name, test);
      });
    }
  });
}
