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

/** The gradient of `elu`'s gradient `dy · (y ≥ 0 ? 1 : y + 1)`. Stock: none, so there is no second derivative of `elu`. */
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

/** Gradients of functions of one or two numbers, taken number by number: either input may have been repeated along axes. */
export const elementwiseGradients: readonly GradConfig[] = [
  eluGrad,
  // Stock: throws where an input was repeated.
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
        // The logarithm of 1 in place of that of a number that has none: 0, and so is the derivative there.
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

/** Comparisons are constant between jumps. Stock: no gradient, so `where(greater(x, 0), …)` throws. */
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

/** `∂(a^b)/∂a = b·a^(b−1)`, and 0 where b is 0, also at a = 0, where the formula is 0 · ∞. */
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
