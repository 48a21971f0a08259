import {
  add,
  div,
  moments,
  mul,
  reshape,
  sqrt,
  sub,
  sum,
  type Tensor,
  transpose,
} from '@tensorflow/tfjs-core';
import { own } from '../base/own.ts';
import type { Context, Form } from './factors.ts';
import { sampleAxis } from './places.ts';

/** An operand that is repeated over samples: `g_i = Σ_positions slope ⊙ δ`, summed where the operand is repeated. */
const repeated =
  (slope: (context: Context) => Tensor): Form =>
  (context) => {
    const { tensor, place, node } = context.use;
    const { shape } = node.outputs[0]!;
    const axis = sampleAxis(shape, place);
    if (axis === null) return null;
    const { batch } = place;
    const missing = shape.length - tensor.shape.length;
    const isRepeated = (of: number): boolean => of < missing || tensor.shape[of - missing] === 1;
    if (shape.some((size, of) => !isRepeated(of) && tensor.shape[of - missing] !== size))
      return null;
    const rows = (): Tensor => {
      const before = shape.slice(0, axis.axis);
      const after = shape.slice(axis.axis + 1);
      const outer = shape[axis.axis]! / (batch * axis.within);
      const apart = reshape(slope(context), [...before, outer, batch, axis.within, ...after]);
      const kept = [...before.keys()].filter((of) => !isRepeated(of));
      const gone = [
        ...[...before.keys()].filter(isRepeated),
        axis.axis,
        axis.axis + 2,
        ...[...after.keys()]
          .filter((k) => isRepeated(axis.axis + 1 + k))
          .map((k) => axis.axis + 3 + k),
      ];
      const totals = sum(apart, gone);
      const first = kept.length;
      const others = [...totals.shape.keys()].filter((of) => of !== first);
      return reshape(first === 0 ? totals : transpose(totals, [first, ...others]), [
        batch,
        tensor.size,
      ]);
    };
    return { kind: 'rows', rows };
  };

/** An operand that is added. */
export const sumOf: Form = repeated(({ delta }) => delta);
/** Operands of a difference. */
export const ofDifference: Form = repeated(({ input, delta }) =>
  input === 'b' ? mul(delta, -1) : delta,
);

/** `y = a ⊙ b`. */
export const ofMultiplication: Form = (context) => {
  const { call, input, delta, valueOf } = context;
  const other = valueOf((input === 'a' ? call.inputs['b'] : call.inputs['a'])!);
  return other === null ? null : repeated(() => mul(delta, other))(context);
};

/** A normalisation by channel with given statistics, `y = scale (x − mean) / √(variance + ε) + offset`. */
export const ofNormalisation: Form = (context) => {
  const { call, input, delta, valueOf } = context;
  if (input === 'offset') return sumOf(context);
  const [x, mean, variance] = ['x', 'mean', 'variance'].map((name) => {
    const tensor = own(call.inputs, name);
    return tensor === undefined ? null : valueOf(tensor);
  });
  if (input !== 'scale' || !x || !mean || !variance) return null;
  const epsilon = call.attributes['varianceEpsilon'] as number;
  return repeated(() => mul(delta, div(sub(x, mean), sqrt(add(variance, epsilon)))))(context);
};

/** Layer normalisation over the last axis. */
export const ofLayerNormalisation: Form = (context) => {
  const { call, input, delta, valueOf } = context;
  if (input === 'offset') return sumOf(context);
  const x = valueOf(call.inputs['x']!);
  if (input !== 'scale' || x === null) return null;
  const epsilon = call.attributes['epsilon'] as number;
  return repeated(() => {
    const { mean, variance } = moments(x, -1, true);
    return mul(delta, div(sub(x, mean), sqrt(add(variance, epsilon))));
  })(context);
};
