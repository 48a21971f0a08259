import { engine, env, type Tensor } from '@tensorflow/tfjs-core';
import { BackwardPlan, PlanMismatch } from './backward-plan.ts';
import type { BackwardSeed } from './backward-walk.ts';
import { type BackwardTask, TapeForm } from './tape-form.ts';
import type { Tape } from './tape.ts';
import { watchKernels } from './watch-kernels.ts';

/** How the backward passes of a trainer were made so far. All passes of a step over one forward pass count as one. */
export interface CompilationReport {
  /** Steps' backward passes that followed a plan. */
  readonly replayed: number;
  /** Those that were watched, to make a plan or to check one. */
  readonly recorded: number;
  /** Those that were made in the plain way, by the reason. */
  readonly plain: Readonly<Record<string, number>>;
  /** Why the latest new plan was made: how the forward pass differed from that of the plan used before it. */
  readonly changed: string | null;
}

/** The plan for tasks of one form. */
interface Entry {
  readonly form: TapeForm;
  /** The plan of the first recording; in words why there can be none. */
  plan: BackwardPlan | string;
  /** Whether a second recording gave the same plan. */
  confirmed: boolean;
}

/** Plans kept: batches of several sizes, and two levels of passes in a step, have one each. */
const mostPlans = 16;

/** Recordings without a replay among them after which no more plans are made: the forward pass is another at every step. */
const mostRecordings = 64;

/**
 * Makes backward passes by plans. A task of a new form is made in the plain way, twice, while its kernels are watched. If both
 * times gave the same plan, further tasks of this form follow it.
 *
 * Nothing is taken from an earlier step but which kernels run: the forward pass of each step is compared with that of the
 * plan. Gradient functions of `tf.customGrad` are called in every step.
 */
export class BackwardPlans {
  /** The one used last comes first. */
  readonly #entries: Entry[] = [];
  readonly #plain = new Map<string, number>();
  #replayed = 0;
  #recorded = 0;
  #inVain = 0;
  #changed: string | null = null;
  readonly #off: string | null;

  /** @param off - why no backward pass may follow a plan, in words; null where they may */
  constructor(off: string | null = null) {
    this.#off = off;
  }

  /** How backward passes were made so far. */
  get report(): CompilationReport {
    return {
      replayed: this.#replayed,
      recorded: this.#recorded,
      plain: Object.fromEntries(this.#plain),
      changed: this.#changed,
    };
  }

  /**
   * Makes backward passes over one tape.
   *
   * @returns the gradients by pass and target, which the caller owns; null where a pass does not reach
   * @throws MultigradError `missing-gradients` when an operation on the way has no gradient
   */
  backward(
    tape: Tape<unknown>,
    targets: readonly Tensor[],
    passes: readonly (readonly BackwardSeed[])[],
  ): (Tensor | null)[][] {
    const task = { nodes: tape.operations, passes, targets };
    const plain = (): (Tensor | null)[][] => {
      const paths = tape.paths(targets);
      return passes.map((seeds) => tape.backward(seeds, paths));
    };
    if (this.#off !== null) return this.#inPlainWay(this.#off, plain);
    if (isProfiled()) return this.#inPlainWay('kernels are profiled', plain);
    const found = this.#find(task);
    if (found === null) {
      if (this.#inVain < mostRecordings) return this.#record(task, plain, null);
      return this.#inPlainWay('the forward pass is another at nearly every step', plain);
    }
    const { entry, tensors } = found;
    if (typeof entry.plan === 'string') return this.#inPlainWay(entry.plan, plain);
    if (!entry.plan.fits) {
      this.#entries.shift();
      this.#changed = 'the backend has other kernels';
      return this.#record(task, plain, null);
    }
    if (!entry.confirmed) return this.#record(task, plain, entry);
    try {
      const gradients = entry.plan.replay(task, tensors);
      this.#replayed += 1;
      this.#inVain = 0;
      return gradients;
    } catch (error) {
      if (!(error instanceof PlanMismatch)) throw error;
      entry.plan = 'a kernel or a gradient function returned tensors of another shape';
      return this.#inPlainWay(entry.plan, plain);
    }
  }

  /** Counts backward passes that are made elsewhere, in the plain way. @param reason - in words */
  countPlain(reason: string): void {
    this.#plain.set(reason, (this.#plain.get(reason) ?? 0) + 1);
  }

  /** The entry for a task of this form, moved to the front; null where there is none. */
  #find(task: BackwardTask): { entry: Entry; tensors: readonly Tensor[] } | null {
    let changed: string | null = null;
    for (const [place, entry] of this.#entries.entries()) {
      const tensors = entry.form.tensorsOf(task);
      if (typeof tensors === 'string') {
        changed ??= tensors;
        continue;
      }
      if (place > 0) {
        this.#entries.splice(place, 1);
        this.#entries.unshift(entry);
      }
      return { entry, tensors };
    }
    this.#changed = changed;
    return null;
  }

  /** Makes the passes in the plain way while kernels are watched. @param known - the entry to confirm; null for a new one */
  #record(
    task: BackwardTask,
    plain: () => (Tensor | null)[][],
    known: Entry | null,
  ): (Tensor | null)[][] {
    const form = known?.form ?? new TapeForm(task);
    const { result: gradients, events, incomplete } = watchKernels(plain);
    this.#recorded += 1;
    this.#inVain += 1;
    const tensors = form.tensorsOf(task);
    const plan =
      typeof tensors === 'string'
        ? tensors
        : (incomplete ?? BackwardPlan.of(task, tensors, { events, gradients }));
    if (known === null) {
      this.#entries.unshift({ form, plan, confirmed: false });
      this.#entries.splice(mostPlans);
    } else {
      known.plan = confirmed(known.plan, plan);
      known.confirmed = true;
    }
    return gradients;
  }

  #inPlainWay(reason: string, plain: () => (Tensor | null)[][]): (Tensor | null)[][] {
    this.countPlain(reason);
    return plain();
  }
}

/** The plan that two recordings agree on, or in words why they do not. */
function confirmed(
  first: BackwardPlan | string,
  second: BackwardPlan | string,
): BackwardPlan | string {
  if (typeof first === 'string') return first;
  if (typeof second === 'string') return second;
  return first.difference(second) ?? first;
}

/** Whether TensorFlow.js measures or checks each kernel, which only its engine can. */
function isProfiled(): boolean {
  const { state } = engine() as unknown as { readonly state: { readonly profiling: boolean } };
  return state.profiling || env().getBool('DEBUG');
}
