import { join } from 'node:path';
import {
  type CountedExchange,
  type ExchangedVariable,
  exchangesOfStep,
} from '@multigrad/distributed';
import { expect } from 'vitest';
import { root } from './launched.ts';

/** What `programs/traffic.mjs` says of a step. */
export interface TrafficOfStep {
  readonly network: 'cg-mnist' | 'resnet18';
  readonly statistics: 'plain' | 'synchronised';
  readonly ranks: number;
  readonly variables: readonly ExchangedVariable[];
  readonly moving: number;
  readonly norms: number;
  /** Bytes of tensors between steps, and the most at any moment of a step. */
  readonly tensors: { readonly between: number; readonly most: number };
  readonly perStep: Readonly<Record<'reduceScatter' | 'allGather' | 'control', CountedExchange>>;
}

/** The program. */
export const program: string = join(root, 'tests/ranks/programs/traffic.mjs');

/** Exchanges in the forward and in the backward passes: in ResNet-18 three shortcuts share one with the layer beside them. */
const exchanges = {
  'cg-mnist': { forward: 1, backward: 0 },
  resnet18: { forward: 17, backward: 17 },
} as const;

/** Expects that calls and bytes are those of the formula. */
export function expectFormula(found: TrafficOfStep): void {
  const { network, statistics, ranks, variables, moving, norms, perStep } = found;
  const channels = moving / 2;
  const messages = 3 * ranks + 1;
  const step = {
    ranks,
    objectives: ['first', 'second', 'third'],
    variables,
    ...(statistics === 'plain'
      ? { statistics: moving }
      : {
          norms: {
            layers: norms,
            channels,
            passed: network === 'resnet18' ? channels : 0,
            ...exchanges[network],
          },
        }),
  };
  const smallest = exchangesOfStep({ ...step, message: 0 });
  const message = (perStep.control.bytes - smallest.control.bytes) / messages;
  // Messages hold what the ranks say of a forward pass, which is longer the more variables there are.
  expect([1024, 2048, 4096, 8192, 16384]).toContain(message);
  const expected = exchangesOfStep({ ...step, message });
  expect(perStep).toMatchObject(expected);
  const text = Object.entries(expected)
    .map(([kind, { calls, bytes }]) => `${kind} ${calls} calls, ${bytes} bytes`)
    .join('; ');
  console.log(`${network}, ${statistics}, ${ranks} ranks, a step: ${text}`);
}
