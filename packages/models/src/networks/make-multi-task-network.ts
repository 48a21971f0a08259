import { MultigradError, resolveOptions } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import { assertLayerName } from '../layer-names.ts';
import { weightOptions, type WeightOptions } from '../option-specs.ts';
import { makeSharing, type Sharing } from '../sharing/sharing.ts';
import { type Trunk, trunkMaker } from '../sharing/trunks.ts';
import { freeOnError } from '../weights/free-on-error.ts';
import { namedVariables } from '../weights/network-weights.ts';
import { SeededLayers } from '../weights/seeded-layers.ts';
import { MultiTaskNetwork } from './multi-task-network.ts';
import { record } from './parts.ts';
import type { TaskMeasures } from './task-measures.ts';
import { measuresOf, type Task, taskHead } from './tasks.ts';

/** Options of {@link multiTaskNetwork}. `seed` and `initialisation` are those of heads and gates. */
export interface MultiTaskNetworkOptions<Name extends string> extends WeightOptions {
  /** A model from one input to features, or a function that makes one of the name it is given; both become the network's. */
  readonly trunk: Trunk;
  /**
   * How tasks share parts of the network; all but hard sharing need `trunk` to be a function.
   *
   * @defaultValue 'hard'
   */
  readonly sharing?: Sharing;
  /** The tasks, at least two, by name. */
  readonly tasks: Readonly<Record<Name, Task>>;
}

/**
 * A network with a head for each of several tasks on a shared body.
 *
 * @throws MultigradError `invalid-option` for fewer than two tasks, trunks of the wrong form, or an option out of its
 * range; `unsupported` for a cross-stitch between stages of a trunk that is no chain
 *
 * @example
 * ```ts
 * import { lenet, multiTaskNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const size = { channels: 1, width: 2, secondWidth: 3, inputHeight: 16, inputWidth: 16 };
 * const network = multiTaskNetwork({
 *   trunk: (name) => lenet({ name, ...size, seed: 1 }),
 *   sharing: { kind: 'cross-stitch', after: ['pool1', 'pool2'] },
 *   tasks: {
 *     left: { kind: 'classification', classes: 10 },
 *     brightness: { kind: 'regression', size: 1 },
 *   },
 *   seed: 1,
 * });
 * const batch = {
 *   image: tf.ones([2, 16, 16, 1]),
 *   left: tf.tensor1d([3, -1], 'int32'), // the second label is missing
 *   brightness: tf.tensor1d([NaN, NaN]), // and so are these: the task is left out
 * };
 * console.log(Object.keys(network.losses(batch.image, batch))); // [ 'left' ]
 * network.dispose();
 * ```
 */
export function multiTaskNetwork<Name extends string>(
  options: MultiTaskNetworkOptions<Name>,
): MultiTaskNetwork<Name> {
  return freeOnError(() => build(options));
}

function build<Name extends string>({
  trunk,
  sharing = 'hard',
  tasks,
  ...given
}: MultiTaskNetworkOptions<Name>): MultiTaskNetwork<Name> {
  const { seed, initialisation } = resolveOptions('multiTaskNetwork', weightOptions, given);
  const names = taskNames<Name>(tasks);
  const measures = record(names, (name) => measuresOf(name, tasks[name]));
  const dense = allOrNoneDense(names, measures);
  const { make, made } = trunkMaker(trunk);
  const body = makeSharing(sharing, { tasks: names, dense, trunk: make, seed, initialisation });
  namedVariables(made);
  const heads = new SeededLayers('head', seed, initialisation);
  return new MultiTaskNetwork({
    trunks: made,
    hard: sharing === 'hard' || (typeof sharing === 'object' && sharing.kind === 'hard'),
    body,
    tasks: measures,
    head: (task, shape) => taskHead(heads, task, shape.at(-1)!, measures[task], shape),
  });
}

function taskNames<Name extends string>(tasks: unknown): Name[] {
  const names = typeof tasks === 'object' && tasks !== null ? Object.keys(tasks) : [];
  if (names.length < 2) {
    throw new MultigradError(
      'invalid-option',
      `Option \`tasks\` of \`multiTaskNetwork\` should name at least two tasks. Found ${describeValue(tasks)}.`,
    );
  }
  for (const name of names) assertLayerName('A task in option `tasks` of `multiTaskNetwork`', name);
  return names as Name[];
}

/** Whether tasks have a target at every pixel. @throws MultigradError `invalid-option` where some have and some have not */
function allOrNoneDense<Name extends string>(
  names: readonly Name[],
  measures: Readonly<Record<Name, TaskMeasures>>,
): boolean {
  const dense = names.filter((name) => measures[name].dense);
  if (dense.length === 0 || dense.length === names.length) return dense.length > 0;
  throw new MultigradError(
    'invalid-option',
    'Option `tasks` of `multiTaskNetwork` should have a target at every pixel for all tasks or for none. Found it for ' +
      `${dense.join(', ')} alone.`,
  );
}
