import { gru, hasKernel, layerNorm, lstm, type TrainingKernel } from '@multigrad/core/kernels';
import { own } from '@multigrad/core/strategy';
import {
  add,
  cast,
  matMul,
  ones,
  reshape,
  reverse,
  serialization,
  split,
  type Tensor,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';

/** Arguments of a layer's `call`. */
interface Arguments {
  readonly mask?: Tensor | null;
  readonly initialState?: Tensor[] | null;
}

type Call = (this: object, inputs: Tensor | Tensor[], kwargs?: Arguments) => Tensor | Tensor[];

interface Variable {
  read(): Tensor;
}

interface Activation {
  readonly constructor: { readonly className?: string };
}

/** The members of `tf.layers.lstm` and `tf.layers.gru` that are read. */
interface StockRecurrent {
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly stateful: boolean;
  readonly unroll: boolean;
  readonly goBackwards: boolean;
  readonly cell: {
    readonly units: number;
    readonly kernel: Variable;
    readonly recurrentKernel: Variable;
    readonly bias: Variable | null;
    readonly useBias: boolean;
    readonly activation: Activation;
    readonly recurrentActivation: Activation;
    readonly dropout: number;
    readonly recurrentDropout: number;
  };
}

/** The members of `tf.layers.layerNormalization` that are read. */
interface StockLayerNorm {
  readonly axis: readonly number[];
  readonly epsilon: number;
  readonly gamma: Variable | null;
  readonly beta: Variable | null;
}

/** What takes the place of a stock layer's `call`; null where the stock one is to run. */
type Replacement = (layer: never, inputs: Tensor, kwargs: Arguments) => Tensor | Tensor[] | null;

const replacements: Readonly<Record<string, Replacement>> = {
  LSTM: callLstm,
  GRU: callGru,
  LayerNormalization: callLayerNorm,
};

const installed = new WeakSet<object>();

/**
 * Makes `tf.layers.lstm`, `gru` and `layerNormalization` compute by one kernel each way where the backend in use has it.
 * Weights, configuration, shapes and what is saved stay those of TensorFlow.js. Layers that no kernel covers (dropout within
 * the cell, states kept between batches, other activations) run as before. The classes are found where
 * `@tensorflow/tfjs-layers` registers them; before it is imported there are none, and a later call covers them.
 */
export function installStockLayers(): void {
  const { classNameMap } = serialization.SerializationMap.getMap();
  for (const [name, replacement] of Object.entries(replacements)) {
    const prototype = own(classNameMap, name)?.[0].prototype as { call: Call } | undefined;
    if (prototype === undefined || installed.has(prototype)) continue;
    installed.add(prototype);
    const stock = prototype.call;
    prototype.call = function (inputs, kwargs) {
      const [x, ...others] = Array.isArray(inputs) ? inputs : [inputs];
      if (x?.dtype !== 'float32' || others.length > 0) return stock.call(this, inputs, kwargs);
      // An empty list stands for null, which a tidy does not return.
      const made = tidy(() => replacement(this as never, x, kwargs ?? {}) ?? []);
      return Array.isArray(made) && made.length === 0 ? stock.call(this, inputs, kwargs) : made;
    };
  }
}

/** What the kernels of recurrent layers take of a layer's call, and the order of its steps. */
interface RecurrentArguments {
  readonly call: {
    readonly sums: Tensor;
    readonly recurrent: Tensor;
    readonly h: Tensor;
    readonly mask?: Tensor;
    readonly hard: boolean;
    readonly output: 'sequence' | 'last';
  };
  /** The states before the first step: that of a GRU, state and cell of an LSTM. */
  readonly initial: readonly Tensor[];
}

/** Reads a layer's call, with `x W + b` of all steps as one product; null where no kernel covers it. */
function recurrentArguments(
  kernel: TrainingKernel,
  layer: StockRecurrent,
  x: Tensor,
  { mask, initialState }: Arguments,
): RecurrentArguments | null {
  const { cell, returnSequences, returnState, goBackwards } = layer;
  const gate = cell.recurrentActivation.constructor.className;
  const covered =
    hasKernel(kernel) &&
    x.rank === 3 &&
    x.shape[1]! > 0 &&
    !(mask != null && mask.rank !== 2) &&
    !(layer.stateful || layer.unroll || (returnSequences && returnState)) &&
    cell.activation.constructor.className === 'tanh' &&
    (gate === 'sigmoid' || gate === 'hardSigmoid') &&
    !(cell.dropout > 0 || cell.recurrentDropout > 0);
  const [count, steps, channels] = x.shape as [number, number, number];
  const states = kernel === 'Lstm' ? 2 : 1;
  const initial = initialState ?? Array.from({ length: states }, () => zeros([count, cell.units]));
  if (!covered || initial.length !== states) return null;
  const rows = matMul(reshape(x, [count * steps, channels]), cell.kernel.read());
  const biased = cell.useBias ? add(rows, cell.bias!.read()) : rows;
  const sums = reshape(biased, [count, steps, rows.shape[1]!]);
  const ordered = (sequence: Tensor): Tensor => (goBackwards ? reverse(sequence, 1) : sequence);
  return {
    call: {
      sums: ordered(sums),
      recurrent: cell.recurrentKernel.read(),
      h: initial[0]!,
      ...(mask == null ? {} : { mask: ordered(cast(cast(mask, 'bool'), 'float32')) }),
      hard: gate === 'hardSigmoid',
      output: returnSequences ? 'sequence' : 'last',
    },
    initial,
  };
}

function callLstm(layer: StockRecurrent, x: Tensor, kwargs: Arguments): Tensor | Tensor[] | null {
  const given = recurrentArguments('Lstm', layer, x, kwargs);
  const result = given && lstm({ ...given.call, c: given.initial[1]! });
  if (result === null || layer.returnSequences) return result;
  const states = split(result, 2, 1);
  return layer.returnState ? [states[0]!, ...states] : states[0]!;
}

function callGru(layer: StockRecurrent, x: Tensor, kwargs: Arguments): Tensor | Tensor[] | null {
  const given = recurrentArguments('Gru', layer, x, kwargs);
  const result = given && gru(given.call);
  if (result === null || layer.returnSequences || !layer.returnState) return result;
  return [result, result];
}

function callLayerNorm({ axis, epsilon, gamma, beta }: StockLayerNorm, x: Tensor): Tensor | null {
  if (axis.length !== 1 || axis[0] !== x.rank - 1) return null;
  const channels = x.shape.at(-1)!;
  const scale = gamma?.read() ?? ones([channels]);
  const offset = beta?.read() ?? zeros([channels]);
  return layerNorm({ x, scale, offset, epsilon });
}
