import { type Jaxpr } from '@jax-js/jax';

/** What has no derivative: nothing flows back through it. */
const flat: ReadonlySet<string> = new Set([
  'stop_gradient',
  'floor',
  'ceil',
  'compare',
  'idiv',
  'argsort',
  'random_bits',
  'bit_combine',
  'bit_count',
  'bit_shift',
  'bitcast',
]);

type Inputs = ReadonlySet<number>;

/**
 * Which inputs of a recorded computation each of its outputs depends on, by their numbers.
 *
 * Calls of other recorded computations (`jit`) are followed; of every other operation all outputs depend on all inputs,
 * unless it has no derivative.
 */
export function inputsOfOutputs({ inBinders, eqns, outs }: Jaxpr): Inputs[] {
  const none: Inputs = new Set();
  // Literals are no variables, and are reached by nothing.
  const reached = new Map<unknown, Inputs>(inBinders.map((one, index) => [one, new Set([index])]));
  const inputsOf = (atom: unknown): Inputs => reached.get(atom) ?? none;
  for (const { primitive, inputs, params, outBinders } of eqns) {
    const inner = (params as { readonly jaxpr?: Jaxpr }).jaxpr;
    if (inner?.inBinders.length === inputs.length) {
      const outputs = inputsOfOutputs(inner);
      outBinders.forEach((binder, index) => {
        reached.set(
          binder,
          union(Array.from(outputs[index]!, (position) => inputsOf(inputs[position]))),
        );
      });
      continue;
    }
    const all = flat.has(primitive) ? none : union(inputs.map(inputsOf));
    for (const binder of outBinders) reached.set(binder, all);
  }
  return outs.map(inputsOf);
}

function union(sets: readonly Inputs[]): Inputs {
  return new Set(sets.flatMap((set) => [...set]));
}
