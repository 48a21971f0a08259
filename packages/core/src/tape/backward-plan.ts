import {
  backend,
  clone,
  engine,
  getBackend,
  getKernel,
  type KernelBackend,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { gradientsAt } from './backward-walk.ts';
import { scoped } from './ownership.ts';
import { copyOf, sameItems, sameValues } from './same-values.ts';
import type { TapeNode } from './tape-internals.ts';
import type { BackwardTask } from './tape-form.ts';
import type { ConstantValues, MadeTensor, WatchedEvent } from './watch-kernels.ts';

/** A tensor by its slot: the task's tensors come first, by their numbers, then those that the plan makes. */
type Slot = number;

/** One step of a plan. */
type PlanStep = (
  | {
      readonly kind: 'kernel';
      readonly name: string;
      readonly inputs: readonly (readonly [name: string, slot: Slot])[];
      readonly list: boolean;
      readonly attributes: NamedAttrMap | undefined;
      readonly composed: boolean;
    }
  | { readonly kind: 'constant'; readonly values: ConstantValues }
  | {
      readonly kind: 'gradient';
      /** Its place on the tape. */
      readonly node: number;
      readonly inputs: readonly string[];
      readonly given: readonly (Slot | null)[];
    }
) & {
  readonly outputs: readonly Slot[];
};

/** What backward passes gave while kernels were watched. */
export interface WatchedPasses {
  readonly events: readonly WatchedEvent[];
  /** By pass and target. */
  readonly gradients: readonly (readonly (Tensor | null)[])[];
}

/** A replay found something else than was recorded: the backward passes have to be made in the plain way. */
export class PlanMismatch extends Error {}

/**
 * The kernels of several backward passes in their order, for tasks of one form. A replay calls the backend's kernel functions
 * one after the other, without the engine of TensorFlow.js: no tape, no tidy, and no tensor objects but the results. Each
 * buffer is freed after its last use.
 */
export class BackwardPlan {
  readonly #steps: readonly PlanStep[];
  /** The slots to free after each step. */
  readonly #spent: readonly (readonly Slot[])[];
  readonly #gradients: readonly (readonly (Slot | null)[])[];
  readonly #backend: KernelBackend;
  /** The kernels in use, by name. */
  readonly #kernels: ReadonlyMap<string, KernelConfig>;
  /** For each tensor that the plan makes one object, which stands for it in every replay. */
  readonly #made: readonly Tensor[];

  private constructor(
    steps: readonly PlanStep[],
    gradients: readonly (readonly (Slot | null)[])[],
    given: number,
    made: readonly MadeTensor[],
  ) {
    this.#steps = steps;
    this.#gradients = gradients;
    this.#spent = spentAfter(steps, gradients, given, made.length);
    this.#backend = backend();
    const names = steps.flatMap((step) => (step.kind === 'kernel' ? [step.name] : []));
    this.#kernels = new Map(
      [...new Set(names)].map((name) => [name, getKernel(name, getBackend())]),
    );
    this.#made = made.map(({ shape, dtype }) => new Tensor([...shape], dtype, {}, -1));
  }

  /**
   * Makes a plan of what was watched.
   *
   * @param tensors - the task's tensors by their numbers
   * @returns the plan, or in words why there can be none
   */
  static of(
    { nodes }: BackwardTask,
    tensors: readonly Tensor[],
    { events, gradients }: WatchedPasses,
  ): BackwardPlan | string {
    const slots = new Map(tensors.map(({ id }, number) => [id, number]));
    const made: MadeTensor[] = [];
    const steps: PlanStep[] = [];
    for (const event of events) {
      const step = stepOf(event, nodes, slots);
      if (typeof step === 'string') return step;
      const outputs = event.kind === 'constant' ? [event.output] : event.outputs;
      const unusual = outputs.find(({ dtype }) => !['float32', 'int32', 'bool'].includes(dtype));
      if (unusual !== undefined) return `a gradient function makes a tensor of ${unusual.dtype}`;
      for (const output of outputs) {
        slots.set(output.id, tensors.length + made.length);
        made.push(output);
      }
      steps.push({ ...step, outputs: outputs.map(({ id }) => slots.get(id)!) });
    }
    const results = gradients.map((row) =>
      row.map((gradient) => (gradient === null ? null : (slots.get(gradient.id) ?? -1))),
    );
    const found = results.flat().filter((slot) => slot !== null);
    const own = found.every((slot) => slot >= tensors.length);
    if (!own || new Set(found).size < found.length)
      return 'a gradient is a tensor that the backward pass did not make';
    return new BackwardPlan(steps, results, tensors.length, made);
  }

  /** Whether the backend and its kernels are still those of the recording. */
  get fits(): boolean {
    if (backend() !== this.#backend) return false;
    const name = getBackend();
    for (const [kernel, config] of this.#kernels) {
      if (getKernel(kernel, name) !== config) return false;
    }
    return true;
  }

  /** How another plan of the same form differs, in words; null where it does not. */
  difference(other: BackwardPlan): string | null {
    if (this.#steps.length !== other.#steps.length)
      return 'gradient functions ran other kernels than before';
    const index = this.#steps.findIndex((step, place) => !sameValues(step, other.#steps[place]));
    if (index < 0)
      return sameValues(this.#gradients, other.#gradients) ? null : 'gradients end elsewhere';
    const step = this.#steps[index]!;
    return step.kind === 'kernel'
      ? `a gradient function calls the kernel \`${step.name}\` in another way`
      : 'a gradient function makes other constants';
  }

  /**
   * Makes the backward passes.
   *
   * @param tensors - the task's tensors by their numbers
   * @returns the gradients by pass and target, which the caller owns
   * @throws PlanMismatch where something has another shape; nothing that it made stays alive then
   */
  replay({ nodes }: BackwardTask, tensors: readonly Tensor[]): (Tensor | null)[][] {
    const memory = new PlanMemory(this.#backend, tensors, this.#made);
    try {
      this.#steps.forEach((step, place) => {
        this.#take(step, nodes, memory);
        for (const slot of this.#spent[place]!) memory.free(slot);
      });
      return this.#gradients.map((row) =>
        row.map((slot) => (slot === null ? null : memory.give(slot))),
      );
    } catch (error) {
      memory.dispose();
      throw error;
    }
  }

  #take(step: PlanStep, nodes: readonly TapeNode[], memory: PlanMemory): void {
    if (step.kind === 'kernel') {
      if (step.composed) memory.putAll(step.outputs, composedKernel(step, memory));
      else memory.putAll(step.outputs, this.#run(step, memory));
    } else if (step.kind === 'constant') {
      memory.write(step.outputs[0]!, step.values);
    } else {
      const given = step.given.map((slot) => (slot === null ? null : memory.tracked(slot)));
      const made = scoped(() =>
        gradientsAt(nodes[step.node]!, step.inputs, given).map((gradient) => clone(gradient)),
      );
      memory.putAll(step.outputs, made);
    }
  }

  #run(step: KernelStep, memory: PlanMemory): TensorInfo | TensorInfo[] {
    const { kernelFunc } = this.#kernels.get(step.name)!;
    const inputs = inputsOf(step, (slot) => memory.get(slot)) as unknown as NamedTensorInfoMap;
    return kernelFunc({ inputs, attrs: step.attributes!, backend: this.#backend });
  }
}

type KernelStep = PlanStep & { readonly kind: 'kernel' };

/** Runs a kernel that calls operations of TensorFlow.js itself: by the engine, which frees what they leave. */
function composedKernel(step: KernelStep, memory: PlanMemory): Tensor | Tensor[] {
  const inputs = inputsOf(step, (slot) => memory.tracked(slot));
  return scoped(() =>
    engine().runKernel<Tensor | Tensor[]>(
      step.name,
      inputs as Record<string, Tensor>,
      step.attributes,
    ),
  );
}

function inputsOf(
  { inputs, list }: KernelStep,
  tensorAt: (slot: Slot) => Tensor,
): Tensor[] | Record<string, Tensor> {
  if (list) return inputs.map(([, slot]) => tensorAt(slot));
  return Object.fromEntries(inputs.map(([name, slot]) => [name, tensorAt(slot)]));
}

function stepOf(
  event: WatchedEvent,
  nodes: readonly TapeNode[],
  slots: ReadonlyMap<number, Slot>,
): DistributiveOmit<PlanStep, 'outputs'> | string {
  if (event.kind === 'constant') return { kind: 'constant', values: event.values };
  if (event.kind === 'gradient') {
    const given = event.given.map((id) => (id === null ? null : (slots.get(id) ?? -1)));
    if (given.includes(-1)) return foreign(event.node.kernelName);
    return { kind: 'gradient', node: nodes.indexOf(event.node), inputs: event.inputs, given };
  }
  const { name, list, attributes, composed } = event;
  const inputs = event.inputs.map(([key, id]) => [key, slots.get(id) ?? -1] as const);
  if (inputs.some(([, slot]) => slot < 0)) return foreign(name);
  return { kind: 'kernel', name, inputs, list, attributes: copyOf(attributes), composed };
}

type DistributiveOmit<T, K extends keyof T> = T extends unknown ? Omit<T, K> : never;

function foreign(kernel: string): string {
  return `\`${kernel}\` in a gradient function reads a tensor that is neither on the tape nor made by it`;
}

/** The slots of the plan's own tensors whose last use is each step. */
function spentAfter(
  steps: readonly PlanStep[],
  gradients: readonly (readonly (Slot | null)[])[],
  given: number,
  made: number,
): readonly (readonly Slot[])[] {
  const last = new Map<Slot, number>();
  steps.forEach((step, place) => {
    const read =
      step.kind === 'kernel'
        ? step.inputs.map(([, slot]) => slot)
        : step.kind === 'gradient'
          ? step.given.filter((slot) => slot !== null)
          : [];
    for (const slot of [...read, ...step.outputs]) last.set(slot, place);
  });
  const results = new Set(gradients.flat());
  const spent = steps.map((): Slot[] => []);
  for (let slot = given; slot < given + made; slot += 1) {
    if (!results.has(slot)) spent[last.get(slot)!]!.push(slot);
  }
  return spent;
}

/** The tensors of one replay. */
class PlanMemory {
  readonly #backend: KernelBackend;
  readonly #given: readonly Tensor[];
  /** Stand for data of the backend that the engine does not know. */
  readonly #shells: readonly Tensor[];
  /** What each slot of the plan holds: nothing, data of the backend, or a tensor that the engine knows. */
  readonly #held: (Tensor | null)[];

  constructor(backend: KernelBackend, given: readonly Tensor[], shells: readonly Tensor[]) {
    this.#backend = backend;
    this.#given = given;
    this.#shells = shells;
    this.#held = shells.map(() => null);
  }

  get(slot: Slot): Tensor {
    const own = slot - this.#given.length;
    return own < 0 ? this.#given[slot]! : this.#held[own]!;
  }

  /** The tensor of a slot as one that the engine knows, for code that makes copies of it. */
  tracked(slot: Slot): Tensor {
    const own = slot - this.#given.length;
    if (own < 0) return this.#given[slot]!;
    const held = this.#held[own]!;
    if (held !== this.#shells[own]) return held;
    const tensor = known(held, this.#backend);
    this.#held[own] = tensor;
    return tensor;
  }

  /** Takes over what a kernel made. @throws PlanMismatch */
  putAll(slots: readonly Slot[], made: TensorInfo | TensorInfo[] | readonly Tensor[]): void {
    const list = (Array.isArray(made) ? made : [made]) as readonly TensorInfo[];
    // All of them are held before one is refused, so that they are freed.
    slots.forEach((slot, index) => {
      if (list[index] !== undefined) this.#put(slot - this.#given.length, list[index]);
    });
    const fits =
      list.length === slots.length &&
      slots.every((slot, index) => {
        const { shape, dtype } = this.#shells[slot - this.#given.length]!;
        return dtype === list[index]!.dtype && sameItems(shape, list[index]!.shape);
      });
    if (!fits)
      throw new PlanMismatch('A kernel returned other tensors than it did when the plan was made.');
  }

  write(slot: Slot, values: ConstantValues): void {
    const shell = this.#shells[slot - this.#given.length]!;
    // Some backends keep the array that they are given.
    const dataId = this.#backend.write(values.slice(), shell.shape, shell.dtype);
    this.#put(slot - this.#given.length, { dataId, shape: shell.shape, dtype: shell.dtype });
  }

  free(slot: Slot): void {
    this.#release(slot - this.#given.length);
  }

  /** Hands a result over to the caller. */
  give(slot: Slot): Tensor {
    const tensor = this.tracked(slot);
    this.#held[slot - this.#given.length] = null;
    return tensor;
  }

  dispose(): void {
    for (const own of this.#held.keys()) this.#release(own);
  }

  #put(own: number, made: TensorInfo): void {
    if (made instanceof Tensor) {
      this.#held[own] = made;
      return;
    }
    const shell = this.#shells[own]!;
    shell.dataId = made.dataId;
    this.#held[own] = shell;
  }

  #release(own: number): void {
    const held = this.#held[own] ?? null;
    if (held === null) return;
    this.#held[own] = null;
    if (held !== this.#shells[own]) held.dispose();
    // The engine knows the data where one of its tensors has shared them.
    else if (this.#backend.disposeData(held.dataId))
      engine().removeDataId(held.dataId, this.#backend);
  }
}

/** A tensor of the engine for data that it does not know yet. */
function known({ dataId, shape, dtype }: Tensor, owner: KernelBackend): Tensor {
  return engine().makeTensorFromTensorInfo({ dataId, shape, dtype }, owner);
}
