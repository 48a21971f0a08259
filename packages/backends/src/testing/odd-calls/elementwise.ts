import * as tf from '@tensorflow/tfjs-core';
import type { OddOperation } from './odd-call.ts';

const singles: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  ...Object.fromEntries(
    (
      [
        ...[
          'abs',
          'acos',
          'acosh',
          'asin',
          'asinh',
          'atan',
          'atanh',
          'ceil',
          'cos',
          'cosh',
          'elu',
          'erf',
          'exp',
        ],
        ...[
          'expm1',
          'floor',
          'isFinite',
          'isInf',
          'isNaN',
          'leakyRelu',
          'log',
          'log1p',
          'logicalNot',
          'neg',
        ],
        ...[
          'onesLike',
          'reciprocal',
          'relu',
          'relu6',
          'round',
          'rsqrt',
          'selu',
          'sigmoid',
          'sign',
          'sin',
          'sinh',
        ],
        ...['softplus', 'sqrt', 'square', 'step', 'tan', 'tanh', 'zerosLike', 'clone'],
      ] as const
    ).map((name) => [name, tf[name as 'abs'] as (x: tf.Tensor) => tf.Tensor]),
  ),
  clipByValue: (x) => tf.clipByValue(x, -1, 2),
  'cast to float32': (x) => tf.cast(x, 'float32'),
  'cast to int32': (x) => tf.cast(x, 'int32'),
  'cast to bool': (x) => tf.cast(x, 'bool'),
};

const pairs = [
  ...[
    'add',
    'sub',
    'mul',
    'div',
    'divNoNan',
    'floorDiv',
    'maximum',
    'minimum',
    'mod',
    'pow',
    'squaredDifference',
  ],
  ...[
    'atan2',
    'prelu',
    'equal',
    'notEqual',
    'greater',
    'greaterEqual',
    'less',
    'lessEqual',
    'logicalAnd',
    'logicalOr',
  ],
  ...['logicalXor', 'bitwiseAnd'],
] as const;

/** The types of inputs for which all backends agree. For other types their results differ. */
const typesOf: Readonly<Record<string, readonly ('float32' | 'int32')[]>> = {
  floorDiv: ['int32'],
  pow: ['float32'],
};

const special = [NaN, Infinity, -Infinity, 0, -0, 1e3, -1e-5];

/** Operations that are defined for booleans. In other operations, TensorFlow.js reads booleans as 0 and 1, or as bytes. */
const ofBooleans = new Set([
  ...[
    'logicalNot',
    'onesLike',
    'zerosLike',
    'clone',
    'cast to float32',
    'cast to int32',
    'cast to bool',
    'isNaN',
  ],
  ...[
    'isInf',
    'isFinite',
    'equal',
    'notEqual',
    'greater',
    'greaterEqual',
    'less',
    'lessEqual',
    'maximum',
    'minimum',
  ],
]);

/** Elementwise operations. */
export const elementwise: readonly OddOperation[] = [
  ...Object.entries(singles).map(([name, run]): OddOperation => ({
    name,
    draw: (draw) => {
      const dtype =
        name === 'logicalNot'
          ? 'bool'
          : draw.type(
              ofBooleans.has(name)
                ? undefined
                : name === 'expm1'
                  ? ['float32']
                  : ['float32', 'int32'],
            );
      const x = draw.input(draw.shape(0, 3), dtype);
      const values = Array.from(x.values, (value) =>
        dtype === 'float32' && draw.chance(0.1) ? draw.choice(special) : value,
      );
      return { inputs: [{ ...x, values }], arguments: { values }, run: (given) => run(given) };
    },
  })),
  ...pairs.map((name): OddOperation => ({
    name,
    draw: (draw) => {
      const shape = draw.shape(0, 4);
      const part = (): number[] =>
        shape
          .slice(draw.chance(0.2) ? draw.integer(0, shape.length) : 0)
          .map((length) => (draw.chance(0.15) ? 1 : draw.chance(0.03) ? length + 1 : length));
      const logical = name.startsWith('logical');
      const types = ofBooleans.has(name) ? undefined : (typesOf[name] ?? ['float32', 'int32']);
      const dtype = logical ? 'bool' : name === 'bitwiseAnd' ? 'int32' : draw.type(types);
      const other = logical || !draw.chance(0.1) ? dtype : draw.type(types);
      const inputs = [draw.input(part(), dtype), draw.input(part(), other)].map((x, place) => ({
        ...x,
        values: Array.from(x.values, (value) => {
          // A divisor of int32 must not be 0: integers have no quotient by zero.
          if (x.dtype === 'int32' && place === 1) return Math.abs(value) + 1;
          return x.dtype === 'float32' && draw.chance(0.05) ? draw.choice(special) : value;
        }),
      }));
      return {
        inputs,
        arguments: { values: inputs.map(({ values }) => values) },
        run: (a, b) => (tf[name as 'add'] as (a: tf.Tensor, b: tf.Tensor) => tf.Tensor)(a, b),
      };
    },
  })),
];
