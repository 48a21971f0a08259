import { BatchMatMul, type Tensor } from '@tensorflow/tfjs-core';
import { hasKernel } from '../kernels/run-kernel.ts';
import type { RunVariable } from '../network/run-variables.ts';
import { type DenseFactor, isCheaper } from '../rows/dense-products.ts';
import { savedIds, savedValues, type ValueOf } from '../tape/saved-values.ts';
import type { TapeNode } from '../tape/tape-internals.ts';
import type { PresentGroup, StepContext } from './step-context.ts';

/** A dense layer whose gradients are left as products: its output, and the factor that all of them share. */
export interface DenseLayer {
  readonly output: Tensor;
  readonly factor: DenseFactor;
}

/**
 * Finds the matrices whose K gradients need not be computed, by the variable's name: a dense layer's gradients are
 * `inputᵀ δ_k`, so that their inner products and their weighted sum follow from the layer's input and the gradients δ_k of
 * its output. With the sum `inputᵀ Σ_k w_k δ_k` one product is computed instead of K.
 *
 * That is so for matrices that one product of the forward pass uses, where it takes fewer multiply-adds. Gradients
 * themselves are needed by strategies that read rows or keep a memory, by limits on each objective, by several batches, and
 * among ranks.
 *
 * @see Goodfellow, Efficient Per-Example Gradient Computations, arXiv:1510.01799, whose norms these inner products extend
 */
export function denseLayers(
  context: StepContext,
  groups: readonly PresentGroup[],
): ReadonlyMap<string, DenseLayer> {
  const { passes, variables, strategy, clipObjectives, collective } = context;
  const [{ tape, graph }] = passes;
  const needsRows =
    strategy.needs.gradients === 'rows' ||
    strategy.needs.memory !== undefined ||
    clipObjectives !== undefined ||
    passes.length > 1 ||
    collective.size > 1;
  if (needsRows || !hasKernel('GramianOfProducts')) return new Map();
  const reaching = new Map(
    groups.flatMap(({ group, names }) =>
      (group.feature === null ? group.variables : []).map((variable) => [
        variable,
        names.filter((name) => graph.reach.get(variable)!.has(name)).length,
      ]),
    ),
  );
  const valueOf = savedValues(tape);
  const users = usersOf(tape.operations, variables, savedIds(tape));
  return new Map(
    variables.flatMap(({ name, variable }) => {
      const count = reaching.get(name) ?? 0;
      const nodes = users.get(variable.id) ?? [];
      if (count < 2 || nodes.length !== 1) return [];
      const layer = layerOf(nodes[0]!, variable, valueOf);
      if (layer === null) return [];
      const { input, inputs, outputs } = layer.factor;
      return isCheaper(input.size / inputs, inputs, outputs, count) ? [[name, layer] as const] : [];
    }),
  );
}

/** The operations that use each variable, without the copies that they save for their gradients. */
function usersOf(
  operations: readonly TapeNode[],
  variables: readonly RunVariable[],
  saved: ReadonlySet<number>,
): ReadonlyMap<number, TapeNode[]> {
  const users = new Map<number, TapeNode[]>(variables.map(({ variable: { id } }) => [id, []]));
  for (const node of operations) {
    if (node.outputs.every(({ id }) => saved.has(id))) continue;
    for (const { id } of Object.values(node.inputs)) users.get(id)?.push(node);
  }
  return users;
}

/** The layer `a b` of a matrix b; null where the operation is another one. */
function layerOf(
  { kernelName, inputs, outputs, attributes }: TapeNode,
  matrix: Tensor,
  valueOf: ValueOf,
): DenseLayer | null {
  const { a, b } = inputs;
  if (kernelName !== BatchMatMul || b?.id !== matrix.id || attributes?.['transposeA'] === true)
    return null;
  const input = valueOf(a!);
  const [output] = outputs;
  if (input?.rank !== 2 || matrix.rank !== 2 || input.size === 0 || output!.size === 0) return null;
  const turned = attributes?.['transposeB'] === true;
  const factor = { input, turned, inputs: input.shape[1]!, outputs: output!.shape[1]! };
  return { output: output!, factor };
}
