import { tensor, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import type { Json } from '../base/json.ts';
import type { Collective } from './collective.ts';
import { type GradientExchange, sliceOf } from './gradient-exchange.ts';
import { solo } from './solo.ts';
import { fromEach, fromRoot } from './work-of-ranks.ts';

/** The communication over an exchange; `solo` where there is none. */
export function collectiveOf(exchange: GradientExchange | undefined): Collective {
  return exchange === undefined ? solo : rankCollective(exchange);
}

function rankCollective(exchange: GradientExchange): Collective {
  const { rank, size, sumNow } = exchange;
  return {
    rank,
    size,
    sumNow,
    fromEach: async (what, work) => fromEach(exchange, what, work),
    fromFirst: async (what, work, { toJson, fromJson }) =>
      fromJson(await fromRoot<Json>(exchange, what, async () => toJson(await work()))),
    heed: (what, own, wishes) => {
      let agreed: (typeof wishes)[number] | null = null;
      return {
        current: () => agreed,
        tell: async () => {
          const all = await exchange.gather<string | null>(what, own());
          agreed = wishes.find((wish) => all.includes(wish)) ?? null;
        },
      };
    },
    agree: async (what, { view, merge }) => merge(await fromEach(exchange, what, view)),
    sum: async (values) => exchange.sum(values),
    awaitsRows: true,
    sumRows: (bag) => {
      const sums = exchange.sumRows();
      return {
        add: async (row, numbers) => {
          await sums.add(row === null ? null : await row.data<'float32'>(), numbers);
          bag.give(row)?.dispose();
        },
        flush: async () => sums.flush(),
        end: async () => (await sums.end()).map((values) => bag.keep(tensor1d(values))),
      };
    },
    wholeRows: async (slices) => {
      const own = await Promise.all(slices.map(async ({ slice }) => slice.data<'float32'>()));
      const sizes = slices.map(({ shape }) => shape.reduce((product, side) => product * side, 1));
      const whole: Tensor[] = [];
      await exchange.allGather(own, sizes, (values, index) => {
        whole.push(tensor(values, [...slices[index]!.shape]));
      });
      return whole;
    },
    sliceOf: (numbers) => sliceOf(numbers, rank, size),
  };
}
