import { type Array as JaxArray, numpy as np, tree, vjp } from '@jax-js/jax';
import {
  assertStrategy,
  cosine,
  gramianOf,
  type GradientStrategy,
  type IntegratedMatrix,
  integrateMatrix,
  type Json,
  type MemoryRows,
  MultigradError,
  norms,
} from '@multigrad/core/strategy';
import { findGroups, type Group, type Losses } from './groups.ts';
import { type NamedLeaves, namedLeaves, type Parameters } from './parameter-tree.ts';

/** What a strategy remembers of one group from step to step. */
interface GroupState {
  readonly group: Group;
  /** Undefined before the strategy was asked for the first time. */
  readonly state?: Json;
  readonly memory?: MemoryRows;
}

/** What is carried from one step to the next: hand in what the step before returned. */
export interface IntegrationState {
  /** Number of the step that comes, from 0. */
  readonly step: number;
  readonly groups: readonly GroupState[];
}

/** What happened in a group at one step. */
export interface GroupReport extends Group {
  /** Lengths of the objectives' gradients. */
  readonly norms: readonly number[];
  /** Cosines between them; 0 where a gradient is zero. */
  readonly cosines: readonly (readonly number[])[];
  /** What the objectives' gradients were multiplied by. */
  readonly weights: readonly number[];
  /** Whether two gradients have a negative inner product. */
  readonly conflict: boolean;
  /** The strategy's word on the step, such as `stationary`. */
  readonly note?: string;
}

/** One step's integrated gradients. */
export interface IntegratedGradients<Tree extends Parameters = Parameters> {
  /** The update for each parameter, in a tree like that of the parameters. It is yours: use it up or dispose of it. */
  readonly gradients: Tree;
  /** The losses by objective. */
  readonly losses: Readonly<Record<string, number>>;
  readonly groups: readonly GroupReport[];
  /** Hand it in at the next step. */
  readonly state: IntegrationState;
}

/**
 * Takes each objective's gradient of a jax-js network, and integrates them by a strategy: the update of a group is
 * `Σ_k w_k g_k` with the weights `w` that the strategy finds from the Gramian `G_ij = ⟨g_i, g_j⟩`.
 *
 * One `vjp` records the forward pass, and is swept once for each of K objectives. At the first step groups follow from the
 * jaxpr: parameters that the same objectives reach. A group of one objective keeps its plain gradient.
 *
 * @remarks
 * Experimental. Gradients are read to the host, where inner products are added up in float64 and the update is computed:
 * K × P numbers a step, cheap on `wasm`, slow on a graphics device. K backward passes are made for every strategy, also for
 * those that see losses alone.
 *
 * @param strategy - any strategy that looks at one batch, within the step
 * @param forward - computes the objectives' losses, float32 scalars by name; it uses its argument up, as functions of
 *   jax-js do
 * @param parameters - float32 arrays in objects and lists; they stay yours
 * @param state - what the step before returned; without it training begins
 * @throws MultigradError `unreached-variable`, `invalid-objective` for a result that is no record of scalars, `unsupported`
 *   for a strategy that needs several batches, losses after the step or means of epochs, and for parameters that are not
 *   float32; `non-finite` for NaN or infinity in losses or gradients; nothing that the step made stays alive then
 *
 * @example
 * ```ts
 * import { init, numpy as np, tree } from '@jax-js/jax';
 * import { integrateGradients, type IntegrationState } from '@multigrad/jax';
 * import { mgda } from '@multigrad/strategy-mgda';
 *
 * await init('wasm');
 * let parameters = { shared: np.array([1, 2]) };
 * let state: IntegrationState | undefined;
 * for (let step = 0; step < 3; step += 1) {
 *   const result = await integrateGradients(
 *     mgda(),
 *     ({ shared }) => ({
 *       near: np.sum(np.square(shared.ref)),
 *       far: np.sum(np.square(shared.sub(3))),
 *     }),
 *     parameters,
 *     state,
 *   );
 *   state = result.state;
 *   parameters = tree.map((p: np.Array, g: np.Array) => p.sub(g.mul(0.1)), parameters, result.gradients);
 *   console.log(result.losses.near, result.groups[0]?.cosines);
 * }
 * ```
 */
export async function integrateGradients<Tree extends Parameters>(
  strategy: GradientStrategy,
  forward: (parameters: Tree) => Losses,
  parameters: Tree,
  state?: IntegrationState,
): Promise<IntegratedGradients<Tree>> {
  assertStrategy(strategy);
  checkNeeds(strategy);
  const leaves = namedLeaves(parameters);
  checkParameters(leaves);
  const { step, groups } = state ?? {
    step: 0,
    groups: findGroups(strategy, forward, parameters).map((group) => ({ group })),
  };
  const { losses, rows } = await sweep(forward, parameters);
  checkFinite(leaves, losses, rows);
  const updates = new Map<string, Float32Array>();
  const reports: GroupReport[] = [];
  const after: GroupState[] = [];
  for (const before of groups) {
    const integrated = integrateGroup(strategy, before, { step, leaves, losses, rows });
    for (const [name, update] of integrated.updates) updates.set(name, update);
    reports.push(integrated.report);
    after.push(integrated.after);
  }
  const arrays = leaves.names.map((name, leaf) =>
    np.array(updates.get(name)!, { shape: leaves.arrays[leaf]!.shape }),
  );
  return {
    gradients: leaves.rebuild(arrays) as Tree,
    losses: Object.fromEntries(losses),
    groups: reports,
    state: { step: step + 1, groups: after },
  };
}

/** Losses, and gradients by objective and parameter. */
interface Swept {
  readonly losses: ReadonlyMap<string, number>;
  readonly rows: ReadonlyMap<string, readonly Float32Array[]>;
}

/** `vjp` with the types that it has here. */
const record = vjp as unknown as <Tree extends Parameters>(
  forward: (parameters: Tree) => Losses,
  inputs: [Tree],
) => [Losses, ((cotangents: Losses) => [Tree]) & { readonly dispose: () => void }];

/** One recorded forward pass, and a backward pass for each objective. */
async function sweep<Tree extends Parameters>(
  forward: (parameters: Tree) => Losses,
  parameters: Tree,
): Promise<Swept> {
  const [outputs, back] = record<Tree>(forward, [tree.ref(parameters)]);
  try {
    const named = Object.entries(outputs);
    const names = named.map(([name]) => name);
    const odd = named.flatMap(([name, loss]) => (loss.ndim === 0 ? [] : [name]));
    if (names.length === 0 || odd.length > 0) {
      const found = names.length === 0 ? 'none' : `\`${odd.join('`, `')}\` of other shapes`;
      tree.dispose(outputs);
      throw new MultigradError(
        'invalid-objective',
        `The forward function should return scalars by objective. Found ${found}.`,
      );
    }
    const values = await readAll(named.map(([, loss]) => loss));
    const rows = new Map<string, readonly Float32Array[]>();
    for (const name of names) {
      const cotangents = names.map((other) => [other, np.array(other === name ? 1 : 0)] as const);
      const [gradients] = back(Object.fromEntries(cotangents));
      rows.set(name, await readAll(tree.leaves<JaxArray>(gradients)));
    }
    return { losses: new Map(names.map((name, k) => [name, values[k]![0]!])), rows };
  } finally {
    back.dispose();
  }
}

/** The numbers of arrays, which are used up. */
async function readAll(arrays: readonly JaxArray[]): Promise<Float32Array[]> {
  return Promise.all(arrays.map(async (array) => (await array.data()) as Float32Array));
}

interface Step extends Swept {
  readonly step: number;
  readonly leaves: NamedLeaves;
}

function integrateGroup(
  strategy: GradientStrategy,
  before: GroupState,
  { step, leaves, losses, rows }: Step,
): {
  readonly updates: Map<string, Float32Array>;
  readonly report: GroupReport;
  readonly after: GroupState;
} {
  const { key, objectives, parameters } = before.group;
  const indices = parameters.map((name) => leaves.names.indexOf(name));
  const tensors = parameters.map((name, i) => ({ name, size: leaves.arrays[indices[i]!]!.size }));
  const jacobian = objectives.map((objective) => {
    const row = new Float64Array(tensors.reduce((total, { size }) => total + size, 0));
    let at = 0;
    for (const index of indices) {
      const part = rows.get(objective)![index]!;
      row.set(part, at);
      at += part.length;
    }
    return row;
  });
  const gramian = gramianOf(jacobian);
  const plain = objectives.length === 1 && strategy.needs.gradients !== 'none';
  const answer: Partial<IntegratedMatrix> & Pick<IntegratedMatrix, 'update'> = plain
    ? { update: jacobian[0]!, weights: Float64Array.of(1) }
    : integrateMatrix(strategy, jacobian, {
        ...{ objectives, key, step, tensors },
        losses: objectives.map((objective) => losses.get(objective)!),
        ...(before.state === undefined ? {} : { state: before.state }),
        ...(before.memory === undefined ? {} : { memory: before.memory }),
      });
  const updates = new Map<string, Float32Array>();
  let at = 0;
  for (const { name, size } of tensors) {
    updates.set(name, Float32Array.from(answer.update.subarray(at, at + size)));
    at += size;
  }
  return {
    updates,
    report: {
      ...before.group,
      norms: [...norms(gramian)],
      cosines: objectives.map((_, i) => objectives.map((__, j) => cosine(gramian, i, j))),
      weights: [...answer.weights!],
      conflict: gramian.values.some((value) => value < 0),
      ...(answer.note === undefined ? {} : { note: answer.note }),
    },
    after: {
      group: before.group,
      ...(answer.state === undefined ? {} : { state: answer.state }),
      ...(answer.memory === undefined ? {} : { memory: answer.memory }),
    },
  };
}

function checkFinite({ names }: NamedLeaves, losses: Swept['losses'], rows: Swept['rows']): void {
  for (const [objective, loss] of losses) {
    if (!Number.isFinite(loss)) {
      throw new MultigradError('non-finite', `The loss of \`${objective}\` is ${loss}.`);
    }
    rows.get(objective)!.forEach((row, leaf) => {
      const found = row.find((value) => !Number.isFinite(value));
      if (found === undefined) return;
      throw new MultigradError(
        'non-finite',
        `The gradient of \`${objective}\` should be finite. Found ${found} in \`${names[leaf]!}\`.`,
      );
    });
  }
}

function checkNeeds({ name, needs }: GradientStrategy): void {
  const { batches = 1, losses } = needs;
  const found =
    batches > 1
      ? `${batches} batches`
      : losses?.endsWith('epoch-means') === true || losses === 'now-and-after-step'
        ? `the losses ${losses}`
        : null;
  if (found === null) return;
  throw new MultigradError(
    'unsupported',
    `\`integrateGradients\` of @multigrad/jax shows a strategy one batch of one step. Strategy \`${name}\` needs ${found}.`,
  );
}

function checkParameters({ names, arrays }: NamedLeaves): void {
  const odd = names.findIndex((_, leaf) => (arrays[leaf]!.dtype as string) !== 'float32');
  if (odd < 0) return;
  throw new MultigradError(
    'unsupported',
    `Parameters should be float32. Found ${arrays[odd]!.dtype} in \`${names[odd]!}\`.`,
  );
}
