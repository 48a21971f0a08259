import { type Tensor, Variable } from '@tensorflow/tfjs-core';
import type { Pass } from '../network/passes.ts';
import type { BackwardPlans } from '../tape/backward-plans.ts';
import type { BackwardSeed } from '../tape/backward-walk.ts';
import type { TensorBag } from '../tape/ownership.ts';
import type { Tape } from '../tape/tape.ts';
import type { StepContext } from './step-context.ts';

/** A tensor at which gradients are integrated: a variable, or a feature in place of the variables behind it. */
export interface Target {
  readonly name: string;
  /** The variable, the feature, or the output of the dense layer whose gradients are left as products. */
  readonly tensor: Tensor;
}

/** A backward pass whose gradients of variables are added up over the ranks. */
export interface SummedPass {
  /** Where it starts; nowhere on a rank that lacks what another one has. */
  readonly seeds: readonly BackwardSeed[];
  /** Whether it reaches a variable on any rank. */
  readonly reached: (variable: string) => boolean;
}

/**
 * Makes backward passes over one recorded forward pass. The gradients of variables are added up over the ranks while the passes
 * go on, and each whole one is freed as soon as it has been read.
 *
 * Passes go one after the other, except where operations need sums over the ranks: there they go side by side, so that these
 * sums are exchanged once for all passes.
 *
 * @returns the gradients by pass and target, null where a pass does not reach: of variables this rank's slices, flat; at
 *   features each rank's own. The bag of the step owns them
 */
export async function backwardSummed(
  { bag, collective, sumsWithin, plans }: SummingContext,
  { tape }: Pass,
  targets: readonly Target[],
  passes: readonly SummedPass[],
): Promise<readonly (readonly (Tensor | null)[])[]> {
  if (plans !== null && !collective.awaitsRows) return planned(bag, plans, tape, targets, passes);
  plans?.countPlain('gradients are added up over ranks while backward passes go on');
  const paths = tape.paths(targets.map(({ tensor }) => tensor));
  const found = passes.map(() => targets.map((): Tensor | null => null));
  const sums = collective.sumRows(bag);
  const order = summedRows(targets, passes, sumsWithin);
  const ready = new Map<number, Tensor | null>();
  let sent = 0;
  const sendReady = async (): Promise<void> => {
    for (
      let row = order.rows[sent];
      row !== undefined && ready.has(row.key);
      row = order.rows[sent]
    ) {
      const gradient = ready.get(row.key)!;
      ready.delete(row.key);
      sent += 1;
      await sums.add(gradient, targets[row.target]!.tensor.size);
    }
  };
  const walk = async (indices: readonly number[]): Promise<void> => {
    await tape.backwardTogether(
      indices.map((index) => passes[index]!.seeds),
      paths,
      async (values) => collective.sum(values),
      async (target, gradients) => {
        bag.keepAll(gradients);
        gradients.forEach((gradient, place) => {
          const pass = indices[place]!;
          if (order.summed(pass, target)) ready.set(pass * targets.length + target, gradient);
          else if (!(targets[target]!.tensor instanceof Variable)) found[pass]![target] = gradient;
          else bag.give(gradient)?.dispose();
        });
        await sendReady();
      },
    );
    await sums.flush();
  };
  const all = [...passes.keys()];
  if (sumsWithin) await walk(all);
  else for (const pass of all) await walk([pass]);
  const slices = await sums.end();
  order.rows.forEach(({ pass, target }, index) => {
    found[pass]![target] = slices[index]!;
  });
  return found;
}

/** What backward passes need of a step. */
type SummingContext = Pick<StepContext, 'bag' | 'collective' | 'sumsWithin' | 'plans'>;

/** The backward passes of a process by itself, by a plan where there is one. */
function planned(
  bag: TensorBag,
  plans: BackwardPlans,
  tape: Tape<unknown>,
  targets: readonly Target[],
  passes: readonly SummedPass[],
): readonly (readonly (Tensor | null)[])[] {
  const found = plans.backward(
    tape,
    targets.map(({ tensor }) => tensor),
    passes.map(({ seeds }) => seeds),
  );
  for (const gradients of found) bag.keepAll(gradients);
  return found.map((gradients, pass) =>
    gradients.map((gradient, place) => {
      const { name, tensor } = targets[place]!;
      if (!(tensor instanceof Variable) || passes[pass]!.reached(name)) return gradient;
      bag.give(gradient)?.dispose();
      return null;
    }),
  );
}

/** A row that all ranks add up. */
interface SummedRow {
  readonly pass: number;
  readonly target: number;
  readonly key: number;
}

/**
 * The rows that are added up, in an order that is the same on every rank: backward passes finish with the variables that the
 * forward pass begins with, and variables are usually listed in the order of the forward pass.
 */
function summedRows(
  targets: readonly Target[],
  passes: readonly SummedPass[],
  together: boolean,
): {
  readonly rows: readonly SummedRow[];
  readonly summed: (pass: number, target: number) => boolean;
} {
  const summed = (pass: number, target: number): boolean => {
    const { name, tensor } = targets[target]!;
    return tensor instanceof Variable && passes[pass]!.reached(name);
  };
  const row = (pass: number, target: number): SummedRow[] =>
    summed(pass, target) ? [{ pass, target, key: pass * targets.length + target }] : [];
  const backwards = [...targets.keys()].toReversed();
  const all = [...passes.keys()];
  return {
    summed,
    rows: together
      ? backwards.flatMap((target) => all.flatMap((pass) => row(pass, target)))
      : all.flatMap((pass) => backwards.flatMap((target) => row(pass, target))),
  };
}
