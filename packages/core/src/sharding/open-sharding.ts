import type { Variable } from '@tensorflow/tfjs-core';
import type { GradientExchange } from '../ranks/gradient-exchange.ts';
import { SharedOut } from './shared-out.ts';
import type { Sharding } from './sharding.ts';
import { whole } from './whole.ts';

/**
 * Shares out what training changes among the ranks behind an exchange; whole where there is none.
 *
 * @param synchronised - whether forward passes keep the statistics alike
 * @throws MultigradError `unsupported` for an exchange that cannot add up within a forward pass, where that is asked for
 */
export function openSharding(
  exchange: GradientExchange | undefined,
  variables: ReadonlyMap<string, Variable>,
  statistics: ReadonlyMap<string, Variable>,
  synchronised: boolean,
): Sharding {
  return exchange === undefined
    ? whole(variables)
    : new SharedOut(exchange, variables, statistics, synchronised);
}
