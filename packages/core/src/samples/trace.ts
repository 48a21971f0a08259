import type { Tensor } from '@tensorflow/tfjs-core';
import { own } from '../base/own.ts';
import type { Tape } from '../tape/tape.ts';
import type { TapeNode } from '../tape/tape-internals.ts';
import { mixedSamples } from './mixed-samples.ts';
import { operationOf } from './operation.ts';
import { likelyPlace, placeOfInput } from './place-rules.ts';
import type { Place } from './places.ts';

/** An operation whose samples all use a whole tensor: a layer that uses its kernel. */
export interface Use {
  readonly node: TapeNode;
  /** The name of the tensor among the operation's inputs, as the tape has it. */
  readonly input: string;
  /** The tensor that is used: a variable, or what was computed from variables alone. */
  readonly tensor: Tensor;
  /** Where samples lie in the operation's output. */
  readonly place: Place;
}

/** An operation of which it has to be tried out that samples stay apart. */
export interface Doubt {
  readonly node: TapeNode;
  readonly output: Place;
  readonly inputs: readonly { readonly input: string; readonly place: Place }[];
}

/** How a vector of losses, one for each sample, depends on variables. */
export interface SampleTrace {
  readonly uses: readonly Use[];
  readonly doubts: readonly Doubt[];
  /** Variables in which each sample has numbers of its own, with the place of samples in them. */
  readonly own: ReadonlyMap<number, Place>;
}

/**
 * Follows the samples of a batch from their losses back to the variables, and finds the operations at which all samples use
 * one tensor.
 *
 * Where the samples of an operation's output lie decides where those of its inputs lie, so nothing has to be known of the
 * data.
 *
 * @param losses - of shape [batch], batch > 1
 * @throws MultigradError `unsupported` naming an operation that computes a sample from other samples
 */
export function traceSamples(
  tape: Tape<unknown>,
  losses: Tensor,
  variables: readonly Tensor[],
): SampleTrace {
  const paths = tape.paths(variables);
  const between = tape.ancestors(losses, paths);
  const places = new Map<number, Place>([[losses.id, { inner: 1, batch: losses.size }]]);
  /** Tensors that all samples use, with the operation that uses them. */
  const whole = new Map<number, TapeNode>();
  const uses: Use[] = [];
  const doubts: Doubt[] = [];
  for (const node of tape.operations.toReversed()) {
    const output = node.outputs.find(({ id }) => places.has(id));
    const shared = node.outputs.some(({ id }) => whole.has(id));
    if (output === undefined && !shared) continue;
    const inputs = Object.entries(node.inputs).filter(([, { id }]) => between.has(id));
    if (output === undefined) {
      for (const [, { id }] of inputs) whole.set(id, node);
      continue;
    }
    const place = places.get(output.id)!;
    const doubtful: { input: string; place: Place }[] = [];
    for (const [input, tensor] of inputs) {
      const { place: found, certain } = placeIn(node, input, tensor, output, place);
      if (found === 'mixed') throw mixedSamples(node);
      if (found === 'whole') {
        uses.push({ node, input, tensor, place });
        if (!whole.has(tensor.id)) whole.set(tensor.id, node);
        continue;
      }
      const known = places.get(tensor.id);
      if (known !== undefined && known.inner !== found.inner) throw mixedSamples(node);
      places.set(tensor.id, found);
      if (!certain) doubtful.push({ input, place: found });
    }
    if (doubtful.length > 0) doubts.push({ node, output: place, inputs: doubtful });
  }
  // What all samples use must not be computed from single samples.
  for (const [id, node] of whole) if (places.has(id)) throw mixedSamples(node);
  const inParts = new Map(
    variables.flatMap(({ id }) => {
      const place = places.get(id);
      return place === undefined ? [] : [[id, place] as const];
    }),
  );
  return { uses, doubts, own: inParts };
}

function placeIn(
  node: TapeNode,
  input: string,
  tensor: Tensor,
  output: Tensor,
  place: Place,
): { readonly place: Place | 'whole' | 'mixed'; readonly certain: boolean } {
  const call = operationOf(node);
  const name = call === null ? undefined : nameWithin(call.inputs, input, tensor);
  const found = name === undefined ? null : placeOfInput(call!, name, output.shape, place);
  if (found !== null) return { place: found, certain: true };
  return { place: likelyPlace(tensor.shape, output.shape, place), certain: false };
}

/** The name that an input of a recorded operation has among the inputs of its kernel. */
export function nameWithin(
  inputs: Readonly<Record<string, Tensor | undefined>>,
  input: string,
  tensor: Tensor,
): string | undefined {
  if (own(inputs, input)?.id === tensor.id) return input;
  return Object.entries(inputs).find(([, value]) => value?.id === tensor.id)?.[0];
}
