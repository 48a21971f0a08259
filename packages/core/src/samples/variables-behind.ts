import {
  ExpandDims,
  Identity,
  reshape,
  Reshape,
  type Tensor,
  transpose,
  Transpose,
} from '@tensorflow/tfjs-core';
import type { Tape } from '../tape/tape.ts';
import type { TapeNode } from '../tape/tape-internals.ts';
import { type Factors, type Rows, transposed } from './factors.ts';
import { operationOf } from './operation.ts';
import { sizeOf } from './places.ts';

/** A variable whose numbers a tensor holds, in the variable's order or with a matrix transposed. */
export interface Origin {
  readonly variable: Tensor;
  /** The shape of the matrix after its transposition; null where the order is the variable's. */
  readonly turned: readonly number[] | null;
}

/** The operation that made each tensor. */
export function producersOf(tape: Tape<unknown>): ReadonlyMap<number, TapeNode> {
  return new Map(
    tape.operations.flatMap((node) => node.outputs.map(({ id }) => [id, node] as const)),
  );
}

/** Follows a tensor back to the variable whose numbers it holds; null where they were computed from it. */
export function originOf(
  tensor: Tensor,
  producers: ReadonlyMap<number, TapeNode>,
  variables: ReadonlySet<number>,
): Origin | null {
  let at = tensor;
  let turned: readonly number[] | null = null;
  while (!variables.has(at.id)) {
    const node = producers.get(at.id);
    const call = node === undefined ? null : operationOf(node);
    if (call === null) return null;
    if (call.kernel === Transpose) {
      const shape = at.shape;
      if (turned !== null || shape.length !== 2) return null;
      if ((call.attributes['perm'] as number[])[0] === 1) turned = shape;
    } else if (call.kernel !== Reshape && call.kernel !== ExpandDims && call.kernel !== Identity) {
      return null;
    }
    at = call.inputs['x'] ?? call.inputs['input']!;
  }
  return { variable: at, turned };
}

/** Puts per-sample gradients of a tensor into the order of its variable; null where they are no matrix of that shape. */
export function inOrderOf({ turned }: Origin, form: Factors | Rows): Factors | Rows | null {
  if (turned === null) return form;
  const [rows, columns] = turned as [number, number];
  if (form.kind === 'rows') {
    return {
      kind: 'rows',
      rows: () => {
        const gradients = form.rows();
        const [batch] = gradients.shape as [number];
        const matrices = reshape(gradients, [batch, rows, columns]);
        return reshape(transpose(matrices, [0, 2, 1]), [batch, sizeOf(turned)]);
      },
    };
  }
  return form.rows === rows && form.columns === columns ? transposed(form) : null;
}
