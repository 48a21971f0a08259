import { MultigradError } from '@multigrad/core/strategy';
import {
  backend_util,
  broadcastTo,
  clone,
  einsum,
  type GradConfig,
  matMul,
  mul,
  reshape,
  sum,
  type Tensor,
  tidy,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core';
import type { OwnKernel } from './own-kernel.ts';

/** A tensor and the label of each of its axes. */
interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

/** Sizes of axes by label. */
type Sizes = ReadonlyMap<string, number>;

/**
 * `tf.einsum` by matrix products. The wasm backend has no kernel for it. The cpu backend's kernel multiplies every pair of
 * numbers into a tensor with an axis for every label before it adds them up.
 *
 * Labels that one factor has, and neither the other factor nor the output, are summed over first. The rest is one matrix
 * product for each combination of indices of the labels that both factors and the output have.
 */
export const einsumByProducts: OwnKernel<unknown> = {
  name: 'Einsum',
  run: ({ inputs, attrs }) => {
    const tensors = Object.values(inputs) as Tensor[];
    if (tensors.some(({ dtype }) => dtype !== 'float32' && dtype !== 'int32')) return null;
    const { terms, output } = parse((attrs as { equation: string }).equation, tensors);
    const factors = tensors.map((tensor, k) => ({ tensor, labels: terms[k]! }));
    return tidy(() => {
      const result = contract(factors, output);
      // A kernel may not return one of its inputs.
      return tensors.includes(result) ? clone(result) : result;
    });
  },
};

/**
 * The gradient of `tf.einsum`, which TensorFlow.js lacks. The gradient by one factor is the einsum of the output's gradient
 * and the other factor. It is constant along labels that neither of these has.
 */
export const einsumGradient: GradConfig = {
  kernelName: 'Einsum',
  saveAllInputs: true,
  gradFunc: (dy, saved, attributes) => {
    const { terms, output } = parse((attributes as { equation: string }).equation, saved);
    const sizes = sizesOf(saved.map((tensor, k) => ({ tensor, labels: terms[k]! })));
    const gradientOf = (k: number): Tensor => {
      const wanted = terms[k]!;
      const others = saved.filter((_, other) => other !== k);
      const given = [output, ...terms.filter((_, other) => other !== k)];
      const reached = wanted.filter((label) => given.some((labels) => labels.includes(label)));
      const equation = `${given.map((labels) => labels.join('')).join(',')}->${reached.join('')}`;
      const gradient = einsum(equation, dy as Tensor, ...others);
      return spread({ tensor: gradient, labels: reached }, wanted, sizes);
    };
    return Object.fromEntries(terms.map((_, k) => [k, () => gradientOf(k)]));
  },
};

/** The labels of each factor and of the output. */
function parse(
  equation: string,
  tensors: readonly Tensor[],
): { readonly terms: readonly (readonly string[])[]; readonly output: readonly string[] } {
  // TensorFlow.js checks arrows, ellipses, the number of factors and labels that a factor has twice, with its own messages.
  const { allDims, idDims } = backend_util.decodeEinsumEquation(equation, tensors.length);
  backend_util.checkEinsumDimSizes(allDims.length, idDims, [...tensors]);
  const [input, output] = equation.replace(/\s/g, '').split('->') as [string, string];
  const terms = input.split(',').map((term) => Array.from(term));
  terms.forEach((labels, k) => {
    if (labels.length === tensors[k]!.rank) return;
    refuse(
      `axis labels for every axis of input ${k}`,
      `${labels.length} for shape [${tensors[k]!.shape.join(', ')}]`,
      equation,
    );
  });
  if (new Set(output).size !== output.length) {
    refuse('each label once in the output', `\`${output}\``, equation);
  }
  return { terms, output: Array.from(output) };
}

function refuse(expected: string, found: string, equation: string): never {
  throw new MultigradError(
    'invalid-argument',
    `Einsum \`${equation}\` should have ${expected}. Found ${found}.`,
  );
}

function contract(factors: readonly Labelled[], output: readonly string[]): Tensor {
  const sizes = sizesOf(factors);
  const [left, right] = factors.map((factor, k) => {
    const elsewhere = [...output, ...(factors[1 - k]?.labels ?? [])];
    return summed(factor, (label) => elsewhere.includes(label));
  }) as [Labelled, Labelled | undefined];
  if (right === undefined) return ordered(left, output);
  if (left.tensor.size === 0 || right.tensor.size === 0) {
    return zeros([...shapeOf(output, sizes)], left.tensor.dtype);
  }

  const shared = left.labels.filter((label) => right.labels.includes(label));
  const batch = shared.filter((label) => output.includes(label));
  const inner = shared.filter((label) => !output.includes(label));
  const rows = left.labels.filter((label) => !shared.includes(label));
  const columns = right.labels.filter((label) => !shared.includes(label));
  const count = (labels: readonly string[]): number =>
    shapeOf(labels, sizes).reduce((product, length) => product * length, 1);
  const a = reshape(ordered(left, [...batch, ...rows, ...inner]), [
    count(batch),
    count(rows),
    count(inner),
  ]);
  const b = reshape(ordered(right, [...batch, ...inner, ...columns]), [
    count(batch),
    count(inner),
    count(columns),
  ]);
  // Without a label to sum over, the product is an outer product.
  const product = inner.length === 0 ? mul(a, b) : matMul(a, b);
  const labels = [...batch, ...rows, ...columns];
  return ordered({ tensor: reshape(product, [...shapeOf(labels, sizes)]), labels }, output);
}

function sizesOf(factors: readonly Labelled[]): Sizes {
  return new Map(
    factors.flatMap(({ tensor, labels }) =>
      labels.map((label, axis) => [label, tensor.shape[axis]!] as const),
    ),
  );
}

function shapeOf(labels: readonly string[], sizes: Sizes): readonly number[] {
  return labels.map((label) => sizes.get(label)!);
}

/** Sums a tensor over the labels that are not kept. */
function summed({ tensor, labels }: Labelled, kept: (label: string) => boolean): Labelled {
  const axes = labels.flatMap((label, axis) => (kept(label) ? [] : [axis]));
  if (axes.length === 0) return { tensor, labels };
  return { tensor: sum(tensor, axes), labels: labels.filter(kept) };
}

/** Transposes a tensor so that its labels are in the given order. */
function ordered({ tensor, labels }: Labelled, order: readonly string[]): Tensor {
  const permutation = order.map((label) => labels.indexOf(label));
  return permutation.every((axis, k) => axis === k) ? tensor : transpose(tensor, permutation);
}

/** Repeats a tensor along every wanted label that it lacks. */
function spread({ tensor, labels }: Labelled, wanted: readonly string[], sizes: Sizes): Tensor {
  if (labels.length === wanted.length) return tensor;
  const shape = wanted.map((label) => (labels.includes(label) ? sizes.get(label)! : 1));
  return broadcastTo(reshape(tensor, shape), [...shapeOf(wanted, sizes)]);
}
