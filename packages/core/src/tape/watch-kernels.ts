import {
  clone,
  type DataType,
  engine,
  type NamedAttrMap,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { own } from '../base/own.ts';
import { isFunctionOfItsInputs } from './known-gradients.ts';
import { scoped } from './ownership.ts';
import type { TapeNode } from './tape-internals.ts';

/** A tensor that was made while kernels were watched. */
export interface MadeTensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** One thing that happened while kernels were watched; tensors are named by their ids. */
export type WatchedEvent =
  | {
      readonly kind: 'kernel';
      readonly name: string;
      readonly inputs: readonly (readonly [name: string, id: number])[];
      /** Whether the kernel takes a list of tensors, not an object. */
      readonly list: boolean;
      readonly attributes: NamedAttrMap | undefined;
      readonly outputs: readonly MadeTensor[];
      /** Whether the kernel itself runs operations of TensorFlow.js. */
      readonly composed: boolean;
    }
  /** A tensor that was made of numbers. */
  | { readonly kind: 'constant'; readonly values: ConstantValues; readonly output: MadeTensor }
  /** The gradient function of a `tf.customGrad`, as a whole. */
  | {
      readonly kind: 'gradient';
      readonly node: TapeNode;
      readonly inputs: readonly string[];
      readonly given: readonly (number | null)[];
      readonly outputs: readonly MadeTensor[];
    };

/** The numbers of a constant. */
export type ConstantValues = Float32Array | Int32Array | Uint8Array;

/** What was seen. */
export interface Watched<T> {
  readonly result: T;
  readonly events: readonly WatchedEvent[];
  /** Why the events are not all that happened; null where they are. */
  readonly incomplete: string | null;
}

/** The members of TensorFlow.js's engine that are replaced while kernels are watched. */
interface WatchedEngine {
  runKernelFunc: (call: EngineCall) => unknown;
  makeTensor: (
    values: ArrayLike<unknown>,
    shape: number[],
    dtype?: DataType,
    backend?: unknown,
  ) => Tensor;
  readSync: (data: object) => unknown;
}

/** A kernel by name, or the functions of a `tf.customGrad`. */
interface EngineCall {
  readonly kernelName?: string;
  readonly inputs: Readonly<Record<string, Tensor | null | undefined>>;
  readonly attrs?: NamedAttrMap;
}

interface Watch {
  readonly events: WatchedEvent[];
  /** Greater than 0 within a kernel, and within a gradient that is watched as a whole. */
  depth: number;
  /** Whether the kernel under way has run operations of TensorFlow.js itself. */
  composed: boolean;
  incomplete: string | null;
}

let current: Watch | null = null;

/**
 * Runs `body` and notes each kernel that it runs, with inputs, attributes and outputs, and each tensor that it makes of
 * numbers.
 */
export function watchKernels<T>(body: () => T): Watched<T> {
  const owner = engine() as unknown as WatchedEngine;
  const watch: Watch = { events: [], depth: 0, composed: false, incomplete: null };
  const restore = replaceMembers(owner, ({ runKernelFunc, makeTensor, readSync }) => ({
    runKernelFunc: (call) => watchCall(watch, call, () => runKernelFunc.call(owner, call)),
    makeTensor: (values, ...form) => {
      const made = makeTensor.call(owner, values, ...form);
      watchConstant(watch, values, made);
      return made;
    },
    readSync: (data) => {
      if (watch.depth === 0) watch.incomplete ??= 'a gradient function reads numbers of a tensor';
      return readSync.call(owner, data);
    },
  }));
  const outer = current;
  current = watch;
  try {
    const result = body();
    return { result, events: watch.events, incomplete: watch.incomplete };
  } finally {
    current = outer;
    restore();
  }
}

/** Puts functions in the place of members of the engine; returns what puts the members back. */
function replaceMembers(
  owner: WatchedEngine,
  replace: (members: WatchedEngine) => WatchedEngine,
): () => void {
  const { runKernelFunc, makeTensor, readSync } = owner;
  const members = { runKernelFunc, makeTensor, readSync };
  const before = Object.getOwnPropertyDescriptors(owner);
  Object.assign(owner, replace(members));
  return () => {
    // Members of the engine's class are no properties of its own.
    for (const name of Object.keys(members)) Reflect.deleteProperty(owner, name);
    for (const name of Object.keys(members)) {
      const descriptor = own(before as Record<string, PropertyDescriptor>, name);
      if (descriptor !== undefined) Object.defineProperty(owner, name, descriptor);
    }
  };
}

/**
 * Computes the gradients of an operation. Where kernels are watched, a gradient function that is not known to depend on its
 * inputs alone is noted as a whole.
 *
 * @param inputs - the names of the inputs whose gradients `compute` returns
 * @param given - the gradients of the operation's outputs
 */
export function watchGradient(
  node: TapeNode,
  inputs: readonly string[],
  given: readonly (Tensor | null)[],
  compute: () => readonly Tensor[],
): readonly Tensor[] {
  const watch = current;
  if (watch === null || watch.depth > 0 || isFunctionOfItsInputs(node)) return compute();
  watch.depth += 1;
  try {
    // Copies: the function may return a tensor that it was given.
    const made = scoped(() => compute().map((gradient) => clone(gradient)));
    watch.events.push({
      ...{ kind: 'gradient', node, inputs },
      given: given.map((gradient) => gradient?.id ?? null),
      outputs: made.map(described),
    });
    return made;
  } finally {
    watch.depth -= 1;
  }
}

function watchCall(watch: Watch, call: EngineCall, run: () => unknown): unknown {
  const { kernelName, inputs, attrs } = call;
  if (watch.depth > 0) watch.composed = true;
  // A `tf.customGrad` is no kernel; those that it runs are watched.
  if (kernelName === undefined || watch.depth > 0) return run();
  watch.depth += 1;
  watch.composed = false;
  try {
    const result = run() as Tensor | Tensor[];
    watch.events.push({
      kind: 'kernel',
      name: kernelName,
      inputs: Object.entries(inputs).flatMap(([name, input]) =>
        input == null ? [] : [[name, input.id] as const],
      ),
      list: Array.isArray(inputs),
      attributes: attrs,
      outputs: (Array.isArray(result) ? result : [result]).map(described),
      composed: watch.composed,
    });
    return result;
  } finally {
    watch.depth -= 1;
  }
}

function watchConstant(watch: Watch, values: ArrayLike<unknown>, made: Tensor): void {
  if (watch.depth > 0) {
    watch.composed = true;
    return;
  }
  const known =
    values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array;
  if (!known) {
    watch.incomplete ??= `a gradient function makes a tensor of ${made.dtype}`;
    return;
  }
  watch.events.push({ kind: 'constant', values: values.slice(), output: described(made) });
}

function described({ id, shape, dtype }: Tensor): MadeTensor {
  return { id, shape, dtype };
}
