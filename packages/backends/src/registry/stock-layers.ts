import { hasKernel, layerNorm, lstm } from '@multigrad/core/kernels';
import { own } from '@multigrad/core/strategy';
import {
  add,
  cast,
  matMul,
  ones,
  reshape,
  reverse,
  serialization,
  slice,
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

/** The members of `tf.layers.lstm` that are read. */
interface StockLstm {
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
  LayerNormalization: callLayerNorm,
};

const installed = new WeakSet<object>();

/**
 * Makes `tf.layers.lstm` and `tf.layers.layerNormalization` compute by one kernel each way where the backend in use has it.
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

function callLstm(
  layer: StockLstm,
  x: Tensor,
  { mask, initialState }: Arguments,
): Tensor | Tensor[] | null {
  const { cell, returnSequences, returnState, goBackwards } = layer;
  const gate = cell.recurrentActivation.constructor.className;
  const covered =
    hasKernel('Lstm') &&
    x.rank === 3 &&
    x.shape[1]! > 0 &&
    !(mask != null && mask.rank !== 2) &&
    !(layer.stateful || layer.unroll || (returnSequences && returnState)) &&
    cell.activation.constructor.className === 'tanh' &&
    (gate === 'sigmoid' || gate === 'hardSigmoid') &&
    !(cell.dropout > 0 || cell.recurrentDropout > 0);
  if (!covered) return null;
  const [count, steps, channels] = x.shape as [number, number, number];
  const { units } = cell;
  const rows = matMul(reshape(x, [count * steps, channels]), cell.kernel.read());
  const biased = cell.useBias ? add(rows, cell.bias!.read()) : rows;
  const sums = reshape(biased, [count, steps, 4 * units]);
  const [h, c] = initialState ?? [zeros([count, units]), zeros([count, units])];
  const ordered = (sequence: Tensor): Tensor => (goBackwards ? reverse(sequence, 1) : sequence);
  const result = lstm({
    sums: ordered(sums),
    recurrent: cell.recurrentKernel.read(),
    h: h!,
    c: c!,
    ...(mask == null ? {} : { mask: ordered(cast(mask, 'float32')) }),
    hard: gate === 'hardSigmoid',
    output: returnSequences ? 'sequence' : 'last',
  });
  if (result === null || returnSequences) return result;
  const states = split(result, 2, 1);
  return returnState ? [states[0]!, ...states] : slice(result, [0, 0], [count, units]);
}

function callLayerNorm({ axis, epsilon, gamma, beta }: StockLayerNorm, x: Tensor): Tensor | null {
  if (axis.length !== 1 || axis[0] !== x.rank - 1) return null;
  const channels = x.shape.at(-1)!;
  const scale = gamma?.read() ?? ones([channels]);
  const offset = beta?.read() ?? zeros([channels]);
  return layerNorm({ x, scale, offset, epsilon });
}
