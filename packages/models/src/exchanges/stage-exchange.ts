import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import { without } from '../option-specs.ts';
import {
  crossAttentionExchange,
  type CrossAttentionExchangeOptions,
} from './cross-attention-exchange.ts';
import type { Exchange } from './exchange.ts';
import { mmtm, type MmtmOptions } from './mmtm.ts';

/**
 * The exchange between encoders, and the stages behind which it stands: `after` names stages that all encoders have, or
 * each encoder's own, as many for each.
 */
export type StageExchange<Stream extends string> = {
  readonly after: readonly string[] | Readonly<Record<Stream, readonly string[]>>;
} & (
  | ({ readonly kind: 'mmtm' } & MmtmOptions)
  | ({ readonly kind: 'cross-attention' } & CrossAttentionExchangeOptions)
);

/**
 * The exchange that options describe.
 *
 * @throws MultigradError `invalid-option`
 */
export function makeExchange(given: StageExchange<never>): Exchange {
  switch (given.kind) {
    case 'mmtm':
      return mmtm(without(given, 'kind', 'after'));
    case 'cross-attention':
      return crossAttentionExchange(without(given, 'kind', 'after'));
    default:
      throw new MultigradError(
        'invalid-option',
        `Option \`exchange.kind\` of \`multimodalNetwork\` should be 'mmtm' or 'cross-attention'. Found ${describeValue((given as { kind: unknown }).kind)}.`,
      );
  }
}
