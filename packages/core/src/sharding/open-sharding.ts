import type { Json } from '../base/json.ts';
import type { Variable } from '@tensorflow/tfjs-core';
import type { GradientExchange } from '../ranks/gradient-exchange.ts';
import { SharedOut } from './shared-out.ts';
import type { Sharding } from './sharding.ts';
import { whole } from './whole.ts';

/**
 * Decides which part of the variables and of the optimizer's slots this process holds: all of it without an exchange, its
 * slices among ranks.
 *
 * @param synchronised - whether forward passes keep the statistics alike
 * @param describe - describes the trainer's options, which ranks compare
 * @throws MultigradError `unsupported` where `synchronised` is true and the exchange cannot add up within a forward pass
 */
export function openSharding(
  exchange: GradientExchange | undefined,
  variables: ReadonlyMap<string, Variable>,
  statistics: ReadonlyMap<string, Variable>,
  synchronised: boolean,
  describe: () => Json,
): Sharding {
  return exchange === undefined
    ? whole(variables)
    : new SharedOut(exchange, variables, statistics, synchronised, describe);
}
