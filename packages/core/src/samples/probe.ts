import { own } from '../base/own.ts';
import {
  add,
  cast,
  max,
  mul,
  notEqual,
  randomUniform,
  reshape,
  sub,
  type Tensor,
  tensor,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { missingGradient } from '../tape/missing-gradient.ts';
import type { TapeNode } from '../tape/tape-internals.ts';
import { nameOf } from './operation.ts';
import type { Place } from './places.ts';
import type { Doubt } from './trace.ts';

/**
 * Tries out whether an operation keeps samples apart: where the gradients of some samples of its output are zero, those of
 * the same samples of its inputs must be zero. For each bit of a sample's number it takes the samples that have it, then
 * those that do not, so every two samples are told apart.
 *
 * It costs `2 ⌈log₂ batch⌉` gradients of this one operation.
 *
 * @returns a scalar that is 0 where samples stay apart, which the caller owns
 */
export function startProbe({ node, output, inputs }: Doubt): Tensor {
  const { batch } = output;
  return tidy(() => {
    const [first] = node.outputs;
    const dy = randomUniform(first!.shape, 1, 2, 'float32', 1);
    const found: Tensor[] = [];
    for (let bit = 1; bit < batch; bit *= 2) {
      const flags = Float32Array.from({ length: batch }, (_, sample) =>
        (sample & bit) === 0 ? 0 : 1,
      );
      for (const mask of [tensor(flags), sub(1, tensor(flags))]) {
        const gradients = localGradients(
          node,
          masked(dy, output, mask),
          inputs.map(({ input }) => input),
        );
        inputs.forEach(({ place }, index) => {
          const others = masked(gradients[index]!, place, sub(1, mask));
          found.push(max(cast(notEqual(others, 0), 'float32')));
        });
      }
    }
    return found.reduce((sum, one) => add(sum, one));
  });
}

/** A tensor with each sample multiplied by a number of its own. */
export function masked(value: Tensor, { inner, batch }: Place, factors: Tensor): Tensor {
  const apart = reshape(value, [value.size / (inner * batch), batch, inner]);
  return reshape(mul(apart, reshape(factors, [1, batch, 1])), value.shape);
}

/** The gradients of some inputs of one operation, for a gradient of its first output. The tidy around owns them. */
export function localGradients(
  node: TapeNode,
  dy: Tensor,
  inputs: readonly string[],
): readonly Tensor[] {
  if (node.gradient === undefined) throw missingGradient(nameOf(node));
  const thunks = node.gradient(
    node.outputs.map((output, index) => (index === 0 ? dy : zerosLike(output))),
  );
  return inputs.map((input) => {
    const thunk = own(thunks, input);
    if (thunk === undefined) throw missingGradient(nameOf(node), input);
    return thunk();
  });
}
