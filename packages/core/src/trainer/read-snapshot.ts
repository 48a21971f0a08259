import { dispose, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { GradientMemory } from '../rows/gradient-memory.ts';
import { groupingOf } from '../step/begin.ts';
import { type IntegrationState, stateDifferences } from '../network/integration-state.ts';
import type { RunVariable } from '../network/run-variables.ts';
import { MultigradError } from '../base/errors.ts';
import { tensorsBelow, type TrainerSnapshot, type TrainerState } from './snapshot.ts';
import { optimizerValuesFromJson, stateFromJson } from './state-json.ts';
import { tensorDifferences } from '../optimizers/tensor-differences.ts';
import type { StateOptions } from './trainer-options.ts';
import type { Update, UpdateSnapshot } from '../update/update.ts';

/** A snapshot that fits and is ready to be written: its state, and copies of its tensors, which share their data. */
export interface ReadSnapshot {
  readonly state: TrainerState;
  readonly integration: IntegrationState | undefined;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly statistics: ReadonlyMap<string, Tensor>;
  readonly update: UpdateSnapshot;
  /** Returns the strategy's memory, which the caller owns from then on; undefined where its needs name no memory. */
  readonly takeMemory: () => GradientMemory | undefined;
  /** Frees the copies. */
  readonly dispose: () => void;
}

/** The trainer that a snapshot is to fit. */
export interface SnapshotReader {
  readonly options: StateOptions;
  readonly named: ReadonlyMap<string, Variable>;
  readonly statistics: ReadonlyMap<string, Variable>;
  /** The variables that the optimizer changes, or this rank's slices of them. */
  readonly slices: ReadonlyMap<string, Variable>;
  readonly update: Update;
  readonly trained: (frozen: ReadonlySet<string>) => readonly RunVariable[];
}

const prefixes = ['weights', 'statistics', 'optimizer', 'average', 'memory'] as const;

/** @throws MultigradError `invalid-argument` where a tensor has been disposed of */
export function assertAlive(snapshot: TrainerSnapshot): void {
  const gone = Array.from(snapshot.tensors).find(([, tensor]) => tensor.isDisposed);
  if (gone === undefined) return;
  throw new MultigradError(
    'invalid-argument',
    `The tensors of a snapshot should be alive. Found \`${gone[0]}\` disposed of: copy them before the next step.`,
  );
}

/**
 * Checks all of a snapshot against a trainer, and copies what is to be written. It copies because the snapshot may hold
 * the very variables that it is written to.
 *
 * @throws MultigradError `structure-changed` with all that differs
 */
export function readSnapshot(snapshot: TrainerSnapshot, trainer: SnapshotReader): ReadSnapshot {
  const { state } = snapshot;
  const differences = differencesOf(snapshot, trainer);
  if (differences.length > 0) {
    const hint = differences.some((one) => one.startsWith('list of variables'))
      ? '\nWhere variables are those of a model: set `trainable` of its layers as it was when the snapshot was made.'
      : '';
    throw new MultigradError(
      'structure-changed',
      `The snapshot does not belong to this trainer:\n${differences.map((one) => `  ${one}`).join('\n')}${hint}`,
    );
  }
  const integration = state.integration === null ? undefined : stateFromJson(state.integration);
  const remembers =
    trainer.options.strategy.needs.memory !== undefined &&
    (integration !== undefined || state.memory.length > 0);
  const copies = new Map(Array.from(snapshot.tensors, ([name, tensor]) => [name, tensor.clone()]));
  return {
    state,
    integration,
    weights: tensorsBelow('weights', copies),
    statistics: tensorsBelow('statistics', copies),
    update: updateOf(snapshot, copies),
    takeMemory: () => {
      if (!remembers) return undefined;
      return new GradientMemory(
        state.memory.map((one, index) => ({
          ...one,
          value: copies.get(`memory/${index}`)!.clone(),
        })),
      );
    },
    dispose: () => dispose([...copies.values()]),
  };
}

function updateOf(
  { state }: TrainerSnapshot,
  tensors: ReadonlyMap<string, Tensor>,
): UpdateSnapshot {
  const { kind, values } = state.optimizer;
  return {
    kind,
    values: optimizerValuesFromJson(values),
    tensors: tensorsBelow('optimizer', tensors),
    averagedSteps: state.averagedSteps,
    averages: tensorsBelow('average', tensors),
  };
}

function differencesOf(snapshot: TrainerSnapshot, trainer: SnapshotReader): string[] {
  const { state, tensors } = snapshot;
  const { options, named, statistics, slices, update } = trainer;
  const { integration } = state;
  const remembered = new Map(
    state.memory.flatMap(({ variable }, index) => {
      const slice = slices.get(variable);
      return slice === undefined ? [] : [[String(index), slice] as const];
    }),
  );
  return [
    ...((state.format as number) === 1 ? [] : [`format ${state.format}, expected 1`]),
    ...countDifferences(state),
    ...(integration === null
      ? []
      : stateDifferences(
          integration,
          options.strategy,
          groupingOf(options),
          trainer.trained(new Set(state.frozen)),
        )),
    ...state.frozen
      .filter((name) => !named.has(name))
      .map((name) => `frozen variable \`${name}\` is not known here`),
    ...state.memory
      .filter(({ variable }) => !slices.has(variable))
      .map(
        ({ variable, objective }) =>
          `no variable \`${variable}\` for the memory of \`${objective}\``,
      ),
    ...tensorDifferences('weight', tensorsBelow('weights', tensors), named),
    ...tensorDifferences('statistic', tensorsBelow('statistics', tensors), statistics),
    ...tensorDifferences('memory', tensorsBelow('memory', tensors), remembered),
    ...update.differences(updateOf(snapshot, tensors)),
    ...Array.from(tensors.keys())
      .filter((name) => !prefixes.some((prefix) => name.startsWith(`${prefix}/`)))
      .map((name) => `tensor \`${name}\` is not known here`),
  ];
}

function countDifferences({ step, averagedSteps, skips = 0, lossScale }: TrainerState): string[] {
  const counts = {
    step,
    averagedSteps,
    skips,
    ...(lossScale === undefined ? {} : { 'lossScale.goodSteps': lossScale.goodSteps }),
  };
  const differences = Object.entries(counts)
    .filter(([, value]) => !Number.isSafeInteger(value) || value < 0)
    .map(([name, value]) => `${name} ${value}, expected an integer >= 0`);
  const exponent = Math.log2(lossScale?.scale ?? 1);
  if (Number.isInteger(exponent) && exponent >= 0) return differences;
  return [...differences, `loss scale ${lossScale!.scale}, expected a power of two`];
}
