import { type DataType, getGradient, type Tensor } from '@tensorflow/tfjs-core';
import type { BackwardSeed } from './backward-walk.ts';
import { isFunctionOfItsInputs } from './known-gradients.ts';
import { copyOf, sameItems, sameValues } from './same-values.ts';
import type { TapeNode } from './tape-internals.ts';

/** What backward passes start from: the operations of a tape, the seeds of each pass, and the tensors to differentiate by. */
export interface BackwardTask {
  readonly nodes: readonly TapeNode[];
  readonly passes: readonly (readonly BackwardSeed[])[];
  readonly targets: readonly Tensor[];
}

/** An operation without its tensors. */
interface NodeForm {
  readonly kernelName: string;
  /** What is registered as the gradient of the kernel. */
  readonly gradient: unknown;
  /** What a gradient may see beside tensors; null where the gradient function is called in each step anyway. */
  readonly seen: readonly unknown[] | null;
  readonly inputs: readonly string[];
  /** The numbers of its inputs, outputs and saved tensors. */
  readonly tensors: readonly number[];
}

/**
 * The form of a task: all that decides which kernels backward passes run. Tensors are numbered in the order in which they
 * first occur, so that tasks of the same form have the same connections.
 */
export class TapeForm {
  readonly #nodes: readonly NodeForm[];
  readonly #ends: Ends;
  readonly #shapes: readonly (readonly number[])[];
  readonly #types: readonly DataType[];

  constructor(task: BackwardTask) {
    const numbering = new Numbering();
    this.#nodes = task.nodes.map((node) => formOf(node, numbering));
    this.#ends = endsOf(task, numbering);
    this.#shapes = numbering.tensors.map(({ shape }) => [...shape]);
    this.#types = numbering.tensors.map(({ dtype }) => dtype);
  }

  /** The tensors of a task by their numbers, or in words how its form differs from this one. */
  tensorsOf(task: BackwardTask): readonly Tensor[] | string {
    const { nodes } = task;
    if (nodes.length !== this.#nodes.length)
      return `the forward pass has ${nodes.length} operations in place of ${this.#nodes.length}`;
    const numbering = new Numbering();
    for (let i = 0; i < nodes.length; i += 1) {
      const difference = differenceOf(nodes[i]!, this.#nodes[i]!, numbering);
      if (difference !== null) return difference;
    }
    const ends = endsOf(task, numbering);
    if (!sameValues(ends, this.#ends)) return 'other losses or other variables take part';
    const { tensors } = numbering;
    for (let i = 0; i < tensors.length; i += 1) {
      const { shape, dtype } = tensors[i]!;
      if (dtype !== this.#types[i] || !sameItems(shape, this.#shapes[i]!))
        return `a tensor is ${dtype} [${shape.join(', ')}] in place of ${this.#types[i]!} [${this.#shapes[i]!.join(', ')}]`;
    }
    return tensors;
  }
}

/** Numbers tensors in the order of their first occurrence. */
class Numbering {
  readonly tensors: Tensor[] = [];
  readonly #numbers = new Map<number, number>();

  of(tensor: Tensor): number {
    const known = this.#numbers.get(tensor.id);
    if (known !== undefined) return known;
    const number = this.tensors.length;
    this.#numbers.set(tensor.id, number);
    this.tensors.push(tensor);
    return number;
  }
}

/** Where backward passes start and end: by number. */
interface Ends {
  readonly seeds: readonly (readonly (readonly [tensor: number, given: number | null])[])[];
  readonly targets: readonly number[];
}

function endsOf({ passes, targets }: BackwardTask, numbering: Numbering): Ends {
  return {
    seeds: passes.map((seeds) =>
      seeds.map(({ tensor, gradient }) => [
        numbering.of(tensor),
        gradient === undefined ? null : numbering.of(gradient),
      ]),
    ),
    targets: targets.map((target) => numbering.of(target)),
  };
}

function formOf(node: TapeNode, numbering: Numbering): NodeForm {
  const { kernelName, inputs, outputs, saved } = node;
  return {
    kernelName,
    gradient: getGradient(kernelName),
    // A program may change an array that it passed as an attribute.
    seen: copyOf(seenBy(node)),
    inputs: Object.keys(inputs),
    tensors: [...Object.values(inputs), ...outputs, ...saved].map((one) => numbering.of(one)),
  };
}

/** What the gradient of an operation may depend on beside tensors; null where it is not known. */
function seenBy(node: TapeNode): readonly unknown[] | null {
  if (!isFunctionOfItsInputs(node)) return null;
  const { attributes = {}, within = [] } = node;
  return [attributes, ...within.map(({ attributes: own }) => own)];
}

function differenceOf(node: TapeNode, form: NodeForm, numbering: Numbering): string | null {
  const { kernelName, inputs, outputs, saved } = node;
  if (kernelName !== form.kernelName)
    return `an operation is \`${kernelName}\` in place of \`${form.kernelName}\``;
  let place = 0;
  const same = (tensor: Tensor): boolean => numbering.of(tensor) === form.tensors[place++];
  let names = 0;
  for (const [name, input] of Object.entries(inputs)) {
    if (form.inputs[names++] !== name || !same(input)) return elsewhere(kernelName);
  }
  if (names !== form.inputs.length || !outputs.every(same) || !saved.every(same))
    return elsewhere(kernelName);
  if (place !== form.tensors.length) return elsewhere(kernelName);
  if ((getGradient(kernelName) as unknown) !== form.gradient)
    return `another gradient is registered for \`${kernelName}\``;
  if (form.seen === null) return isFunctionOfItsInputs(node) ? elsewhere(kernelName) : null;
  const seen = seenBy(node);
  return seen !== null && sameItems(seen, form.seen)
    ? null
    : `an attribute of \`${kernelName}\` has another value`;
}

function elsewhere(kernelName: string): string {
  return `\`${kernelName}\` has other inputs`;
}
