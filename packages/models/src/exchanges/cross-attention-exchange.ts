import { type OptionsOf, resolveOptions, own } from '@multigrad/core/strategy';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { joinTokens } from '../fusions/cross-attention.ts';
import { LayerNormalization } from '../layers/layer-normalization.ts';
import { MultiHeadAttention } from '../layers/multi-head-attention.ts';
import { tokensOf } from '../layers/tokens.ts';
import { assertDivides } from '../option-specs.ts';
import type { SeededLayers } from '../weights/seeded-layers.ts';
import type { Exchange } from './exchange.ts';

/** Descriptions of the options of the exchange `cross-attention`. */
const crossAttentionExchangeOptions = {
  /** Attention heads, an integer >= 1 that divides every stream's channels. @defaultValue 1 */
  heads: {
    kind: 'number',
    default: 1,
    minimum: 1,
    integer: true,
    description: 'Attention heads, an integer >= 1.',
  },
} as const;

/** Options of the exchange `cross-attention`. */
export interface CrossAttentionExchangeOptions extends OptionsOf<
  typeof crossAttentionExchangeOptions
> {}

/**
 * Cross-attention between stages: `x̃_k = x_k + Attention(LN(x_k), [P_kj LN(x_j), j ≠ k])`, with every pixel or step of a
 * stream as a token and linear maps P_kj to the width of stream k.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 */
export function crossAttentionExchange(options: CrossAttentionExchangeOptions = {}): Exchange {
  const { heads } = resolveOptions(
    'crossAttentionExchange',
    crossAttentionExchangeOptions,
    options,
  );
  const check: Exchange['check'] = (shapes) => {
    for (const [stream, shape] of Object.entries(shapes)) {
      const width = shape.at(-1)!;
      assertDivides('crossAttentionExchange', 'heads', heads, `channels of ${stream}`, width);
    }
  };
  const connect: Exchange['connect'] = (streams, make) => {
    const tokens = Object.entries(streams).map(([stream, x]): [string, SymbolicTensor] => {
      const norm = new LayerNormalization({ name: make.name(`${stream}/norm`) });
      return [stream, norm.apply(tokensOf(make.name(`${stream}/tokens`), x)) as SymbolicTensor];
    });
    const attended = tokens.map(([stream, sequence]) => {
      const x = own(streams, stream)!;
      const width = x.shape.at(-1)!;
      const others = tokens
        .filter(([other]) => other !== stream)
        .map(([other, theirs]) => projected(make, `${stream}/from-${other}`, theirs, width));
      const context = joinTokens(make.name(`${stream}/others`), others);
      const attention = new MultiHeadAttention({
        ...make.config(`${stream}/attention`),
        width,
        heads,
      });
      const found = attention.apply([sequence, context]) as SymbolicTensor;
      const shaped = layers.reshape({
        name: make.name(`${stream}/reshape`),
        targetShape: x.shape.slice(1),
      });
      const sum = layers.add({ name: make.name(`${stream}/add`) });
      return [stream, sum.apply([x, shaped.apply(found) as SymbolicTensor])];
    });
    return { streams: Object.fromEntries(attended) as Record<string, SymbolicTensor>, gates: [] };
  };
  return { check, connect };
}

/** Tokens of another stream, brought to the width of the one that looks at them. */
function projected(
  make: SeededLayers,
  layer: string,
  tokens: SymbolicTensor,
  width: number,
): SymbolicTensor {
  return make.dense(layer, tokens.shape.at(-1)!, width).apply(tokens) as SymbolicTensor;
}
