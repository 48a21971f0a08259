import { fill, oneHot, reshape, slice, stack, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { scoped, TensorBag } from '../tape/ownership.ts';
import { savedValues } from '../tape/saved-values.ts';
import type { Tape } from '../tape/tape.ts';
import type { TapeNode } from '../tape/tape-internals.ts';
import { type Factors, type Rows, rowsOf } from './factors.ts';
import { formOfUse } from './form-of-use.ts';
import { mixedSamples } from './mixed-samples.ts';
import { samplesFirst } from './places.ts';
import { localGradients, masked, startProbe } from './probe.ts';
import {
  type PendingSampleGramian,
  type SampleWay,
  startOwnGramian,
  startSampleGramian,
} from './sample-gramian.ts';
import { type SampleTrace, traceSamples, type Use } from './trace.ts';
import { inOrderOf, originOf, producersOf } from './variables-behind.ts';

/** Gramians of per-sample gradients on the device, before they are read. */
export interface PendingGramians {
  /** In the order of the variables; null where the losses do not reach one. */
  readonly gramians: readonly (PendingSampleGramian | null)[];
  /** A scalar for each operation of which it is tried out that samples stay apart, with that operation. */
  readonly probes: readonly { readonly packed: Tensor; readonly node: TapeNode }[];
}

/** @throws MultigradError `unsupported` where a probe, as read, shows that samples mix */
export function checkProbes(
  probes: PendingGramians['probes'],
  values: readonly Float32Array[],
): void {
  probes.forEach(({ node }, index) => {
    if (values[index]![0] !== 0) throw mixedSamples(node);
  });
}

/**
 * Starts the Gramians of the gradients of `losses[i]`, one for each sample i, with one backward pass for all of them: where
 * samples do not interact, the gradient of `Σ_i losses[i]` at an activation holds each sample's own.
 *
 * @param losses - of shape [batch], recorded on the tape
 * @param lossScale - what losses are multiplied by; gradients are larger by it
 * @param way - forces the way in which products are computed; for tests
 * @param bag - takes what has to live until it is read
 * @throws MultigradError `unsupported` naming an operation that computes a sample from other samples
 */
export function startGramiansOfSamples(
  tape: Tape<unknown>,
  losses: Tensor,
  variables: readonly Tensor[],
  bag: TensorBag,
  lossScale = 1,
  way: SampleWay | null = null,
): PendingGramians {
  if (losses.size === 1)
    return { gramians: ofOneSample(tape, losses, variables, lossScale, bag), probes: [] };
  const trace = traceSamples(tape, losses, variables);
  const probes = trace.doubts.map((doubt) => ({
    packed: bag.keep(startProbe(doubt)),
    node: doubt.node,
  }));
  const own = new TensorBag();
  try {
    const targets = targetsOf(trace, variables);
    const found = own.keepAll(
      tape.backward(
        [{ tensor: losses, gradient: own.keep(fill(losses.shape, lossScale)) }],
        tape.paths(targets),
      ),
    );
    const deltas = new Map(targets.map(({ id }, index) => [id, found[index]!]));
    const forms = formsByVariable(tape, trace, deltas, variables, own);
    const gramians = variables.map(({ id }) => {
      const place = trace.own.get(id);
      const pending =
        place === undefined
          ? gramianOf(forms.get(id) ?? [], losses.size, way)
          : startOwnGramian(() => {
              const rows = samplesFirst(deltas.get(id)!, place, 1);
              return reshape(rows, [losses.size, rows.size / losses.size]);
            }, losses.size);
      if (pending !== null) bag.keep(pending.packed);
      return pending;
    });
    return { gramians, probes };
  } finally {
    own.dispose();
  }
}

/** The squared norms of the gradients of a lone sample. */
function ofOneSample(
  tape: Tape<unknown>,
  losses: Tensor,
  variables: readonly Tensor[],
  lossScale: number,
  bag: TensorBag,
): PendingGramians['gramians'] {
  const own = new TensorBag();
  try {
    const found = own.keepAll(
      tape.backward(
        [{ tensor: losses, gradient: own.keep(fill(losses.shape, lossScale)) }],
        tape.paths(variables),
      ),
    );
    return found.map((gradient) => {
      if (gradient === null) return null;
      const rows = (): Tensor => reshape(gradient, [1, gradient.size]);
      const pending = startSampleGramian([{ kind: 'rows', rows }], 1);
      bag.keep(pending.packed);
      return pending;
    });
  } finally {
    own.dispose();
  }
}

/** The tensors whose gradients are needed: outputs of operations that use a whole tensor, and variables in parts. */
function targetsOf({ uses, own }: SampleTrace, variables: readonly Tensor[]): readonly Tensor[] {
  const outputs = new Map(uses.map(({ node }) => [node.outputs[0]!.id, node.outputs[0]!]));
  return [...outputs.values(), ...variables.filter(({ id }) => own.has(id))];
}

/** A form, and whether each sample took a backward step of its own for it. */
interface VariableForm {
  readonly form: Factors | Rows;
  readonly oneByOne: boolean;
}

function gramianOf(
  forms: readonly VariableForm[],
  batch: number,
  way: SampleWay | null,
): PendingSampleGramian | null {
  if (forms.length === 0) return null;
  const slow = forms.some(({ oneByOne }) => oneByOne);
  return startSampleGramian(
    forms.map(({ form }) => form),
    batch,
    slow ? 'sample by sample' : way,
  );
}

function formsByVariable(
  tape: Tape<unknown>,
  { uses }: SampleTrace,
  deltas: ReadonlyMap<number, Tensor>,
  variables: readonly Tensor[],
  bag: TensorBag,
): ReadonlyMap<number, VariableForm[]> {
  const producers = producersOf(tape);
  const ids = new Set(variables.map(({ id }) => id));
  const valueOf = savedValues(tape);
  const forms = new Map<number, VariableForm[]>();
  const put = (variable: Tensor, form: VariableForm): void => {
    forms.set(variable.id, [...(forms.get(variable.id) ?? []), form]);
  };
  for (const use of uses) {
    const delta = deltas.get(use.node.outputs[0]!.id)!;
    const known = formOfUse(use, delta, valueOf, (make) => bag.keep(scoped(make)));
    const form: VariableForm = {
      form: known ?? oneByOne(use, delta),
      oneByOne: known === null,
    };
    const origin = originOf(use.tensor, producers, ids);
    const ordered = origin === null ? null : inOrderOf(origin, form.form);
    if (origin !== null && ordered !== null) {
      put(origin.variable, { ...form, form: ordered });
      continue;
    }
    for (const [variable, rows] of rowsBehind(tape, use.tensor, form.form, variables, bag)) {
      put(variable, { form: { kind: 'rows', rows: () => rows }, oneByOne: true });
    }
  }
  return forms;
}

/** The per-sample gradients of one use, with one gradient of the operation for each sample. */
function oneByOne({ node, input, place }: Use, delta: Tensor): Rows {
  const rows = (): Tensor =>
    stack(
      Array.from({ length: place.batch }, (_, sample) =>
        tidy(() => {
          const only = reshape(oneHot([sample], place.batch), [place.batch]);
          const [gradient] = localGradients(node, masked(delta, place, only), [input]);
          return reshape(gradient!, [gradient!.size]);
        }),
      ),
    );
  return { kind: 'rows', rows };
}

/** Per-sample gradients of the variables from which a tensor is computed, with one backward pass for each sample. */
function rowsBehind(
  tape: Tape<unknown>,
  tensor: Tensor,
  form: Factors | Rows,
  variables: readonly Tensor[],
  bag: TensorBag,
): readonly (readonly [Tensor, Tensor])[] {
  const paths = tape.paths(variables);
  const own = new TensorBag();
  try {
    const rows = own.keep(scoped(() => rowsOf(form)));
    const found = Array.from({ length: rows.shape[0] }, (_, sample) => {
      const gradient = own.keep(
        tidy(() => reshape(slice(rows, [sample, 0], [1, tensor.size]), tensor.shape)),
      );
      return own.keepAll(tape.backward([{ tensor, gradient }], paths));
    });
    return variables.flatMap((variable, index) => {
      const gradients = found.map((row) => row[index] ?? null);
      if (gradients[0] === null) return [];
      const stackedRows = tidy(() =>
        stack(gradients.map((gradient) => reshape(gradient!, [variable.size]))),
      );
      return [[variable, bag.keep(stackedRows)] as const];
    });
  } finally {
    own.dispose();
  }
}
