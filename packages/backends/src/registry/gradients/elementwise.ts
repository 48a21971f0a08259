import {
  add,
  cast,
  equal,
  type GradConfig,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  mul,
  onesLike,
  pow,
  scalar,
  sub,
  type Tensor,
  where,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { unbroadcast } from './gradient.ts';

/**
 * The gradient of `elu`'s gradient `dy · (y ≥ 0 ? 1 : y + 1)`. TensorFlow.js lacks it, so `elu` has no second derivative.
 */
const eluGrad: GradConfig = {
  kernelName: 'EluGrad',
  inputsToSave: ['dy', 'y'],
  gradFunc: (dz, [dy, y]) => {
    const isLinear = greaterEqual(y!, scalar(0));
    return {
      dy: () => mul(dz as Tensor, where(isLinear, onesLike(y!), add(y!, scalar(1)))),
      y: () => mul(dz as Tensor, where(isLinear, zerosLike(dy!), dy!)),
    };
  },
};

/** Gradients of elementwise functions. Either input may have been broadcast. */
export const elementwiseGradients: readonly GradConfig[] = [
  eluGrad,
  // The stock gradients throw where an input was broadcast.
  ofPair('Maximum', (a, b) => [asFloat(greaterEqual(a, b)), asFloat(less(a, b))]),
  ofPair('Minimum', (a, b) => [asFloat(lessEqual(a, b)), asFloat(greater(a, b))]),
  ofPair('SquaredDifference', (a, b) => {
    const slope = mul(scalar(2), asFloat(sub(a, b)));
    return [slope, mul(slope, scalar(-1))];
  }),
  {
    kernelName: 'Pow',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [base, exponent]) => ({
      a: () => unbroadcast(mul(dy as Tensor, slopeOfPower(base!, exponent!)), base!.shape),
      b: () => {
        // A base that is not positive has no logarithm. The logarithm of 1 stands for it, so the derivative is 0 there.
        const positive = greater(base!, scalar(0, base!.dtype as 'float32'));
        const logarithm = log(where(positive, asFloat(base!), scalar(1)));
        return unbroadcast(
          mul(dy as Tensor, mul(pow(asFloat(base!), exponent!), logarithm)),
          exponent!.shape,
        );
      },
    }),
  },
];

/**
 * Gradients of comparisons and of logical operations: zeros, since these are constant between jumps. TensorFlow.js has none,
 * so the gradient of `where(greater(x, 0), …)` throws.
 */
export const comparisonGradients: readonly GradConfig[] = [
  ...['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'].map(
    (kernelName): GradConfig => ({
      kernelName,
      inputsToSave: ['a', 'b'],
      gradFunc: (_, [a, b]) => ({ a: () => zeros(a!.shape), b: () => zeros(b!.shape) }),
    }),
  ),
  ...['LogicalAnd', 'LogicalOr'].map((kernelName): GradConfig => ({
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (_, [a, b]) => ({ a: () => zeros(a!.shape), b: () => zeros(b!.shape) }),
  })),
  {
    kernelName: 'LogicalNot',
    inputsToSave: ['x'],
    gradFunc: (_, [x]) => ({ x: () => zeros(x!.shape) }),
  },
];

/** `∂(a^b)/∂a = b·a^(b−1)`. Where b is 0 it is 0, also at a = 0, where the formula gives 0 · ∞. */
function slopeOfPower(base: Tensor, exponent: Tensor): Tensor {
  const b = asFloat(exponent);
  const constant = equal(b, scalar(0));
  const oneLess = sub(where(constant, onesLike(b), b), scalar(1));
  return mul(b, pow(asFloat(base), oneLess));
}

function ofPair(
  kernelName: string,
  slopes: (a: Tensor, b: Tensor) => [Tensor, Tensor],
): GradConfig {
  return {
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => ({
      a: () => unbroadcast(mul(dy as Tensor, slopes(a!, b!)[0]), a!.shape),
      b: () => unbroadcast(mul(dy as Tensor, slopes(a!, b!)[1]), b!.shape),
    }),
  };
}

function asFloat(x: Tensor): Tensor {
  return cast(x, 'float32');
}
