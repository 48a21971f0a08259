import { Tensor, version_core as version } from '@tensorflow/tfjs-core';
import { shapeText } from '../optimizers/tensor-differences.ts';
import { uniformKey } from '../kernels/seeded-uniform.ts';
import type { Json } from '../base/json.ts';
import { integrateMatrix, type MemoryRows } from '../contract/integrate-matrix.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import { describeOptimizer, optimizerKind } from '../optimizers/optimizer.ts';
import type { LearningRate } from '../update/learning-rate.ts';
import type { StateOptions } from './trainer-options.ts';

/**
 * Describes the options of a trainer, so that several ranks can find out whether theirs are the same: numbers and words as
 * they are, functions by a digest of their text, the strategy also by its answers to gradients that are made up.
 *
 * Values that a function has caught from around it are not seen.
 */
export function describeOptions(options: StateOptions): Json {
  const { strategy, optimizer } = options;
  return {
    'TensorFlow.js': version,
    strategy: describeStrategy(strategy),
    optimizer: { kind: optimizerKind(optimizer), options: describeOptimizer(optimizer) },
    options: Object.fromEntries(
      Object.entries(options)
        .filter(([name]) => !described.has(name))
        .map(([name, value]) => [name, name === 'learningRate' ? ratesOf(value) : describe(value)]),
    ),
  };
}

/** What is described elsewhere: by name, or with the first weights. */
const described: ReadonlySet<string> = new Set<keyof StateOptions>([
  'strategy',
  'optimizer',
  'variables',
  'statistics',
  'exchange',
  // Weights are the same with and without.
  'compile',
]);

function describe(value: unknown): Json {
  if (isCode(value)) return digest(value);
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(describe);
  if (typeof value !== 'object' || value === null) return (value ?? null) as Json;
  // Own names and numbers of tensors differ from process to process.
  if (value instanceof Tensor) return `${value.dtype} ${shapeText((value as Tensor).shape)}`;
  if (value instanceof Map) return describe(Object.fromEntries(value));
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== null && prototype !== Object.prototype) return prototype.constructor.name;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, describe(child)]));
}

/** A schedule by its code and some of its rates. */
function ratesOf(rate: unknown): Json {
  if (!isCode(rate)) return describe(rate);
  const schedule = rate as LearningRate;
  const rates = [0, 1, 10, 100, 1000].map((step) => schedule(step).toPrecision(6));
  return { code: digest(rate), 'steps 0, 1, 10, 100, 1000': rates.join(' ') };
}

type Code = (...given: never) => unknown;

function isCode(value: unknown): value is Code {
  return typeof value === 'function';
}

/** 64 bits of a function's text. */
function digest(code: Code): string {
  const words = uniformKey(0, 0, code.toString());
  return `code ${words.map((word) => word.toString(16).padStart(8, '0')).join('')}`;
}

/** Two gradients that conflict and one that does not. */
const jacobian = [
  [3, 0, 1, -2],
  [-2, 1, 0, 1],
  [0.5, 1, -1, 0.25],
];

function describeStrategy(strategy: GradientStrategy): Json {
  return {
    name: strategy.name,
    needs: describe(strategy.needs),
    code: Object.fromEntries(
      Object.entries(strategy).flatMap(([name, part]) =>
        isCode(part) ? [[name, digest(part)] as const] : [],
      ),
    ),
    answers: answersOf(strategy),
  };
}

/** The updates of three steps, or the error of one: options that functions do not show in their text decide them. */
function answersOf(strategy: GradientStrategy): string {
  const { batches = 1 } = strategy.needs;
  let state: Json | undefined;
  let memory: MemoryRows | undefined;
  const updates: string[] = [];
  for (let step = 0; step < 3; step += 1) {
    try {
      const answer = integrateMatrix(strategy, jacobian, {
        losses: [1, 2 + step, 0.5],
        step,
        ...(batches > 1 ? { batches: new Array<typeof jacobian>(batches - 1).fill(jacobian) } : {}),
        ...(state === undefined ? {} : { state }),
        ...(memory === undefined ? {} : { memory }),
      });
      ({ state, memory } = answer);
      updates.push(Array.from(answer.update, (value) => value.toPrecision(6)).join(' '));
    } catch (error) {
      // Weights of objectives by name, for example, do not fit names that are made up.
      return error instanceof Error ? error.message : String(error);
    }
  }
  return updates.join('; ');
}
