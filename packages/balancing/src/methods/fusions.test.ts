import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BalancingMethod } from '../contract/method.ts';
import { trainSmall } from '../testing/training.ts';
import { cml } from './cml.ts';
import { dgl } from './dgl.ts';
import { inforeg } from './inforeg.ts';
import { opm } from './opm.ts';
import { umt } from './umt.ts';

// Methods that say "any fusion", with the fusions that the kit does not train them with.

const methods: Readonly<Record<string, () => BalancingMethod>> = {
  opm: () => opm({ executed: 1 }) as BalancingMethod,
  cml: () => cml({ lambda: 1 }) as BalancingMethod,
  umt: () => umt({ weight: 1, teacherEpochs: 1 }) as unknown as BalancingMethod,
  inforeg: () => inforeg({ threshold: -1000 }) as unknown as BalancingMethod,
  dgl: () => dgl() as BalancingMethod,
};
const fusions = ['summation', 'gated', 'film', 'cross-attention'] as const;

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe.each(Object.entries(methods))('%s', (_, make) => {
    it.each(fusions)('changes what %s trains', async (fusion) => {
      await expectConstantMemory(async () => {
        const setting = { fusion, epochs: 3, modalities: 3 } as const;
        const { weights } = await trainSmall({ ...setting, method: make() });
        const { weights: plain } = await trainSmall({ ...setting, method: null });
        expect(Object.values(weights).flat().every(Number.isFinite)).toBe(true);
        const apart = Object.entries(weights).map(([name, values]) =>
          values.reduce((most, value, i) => Math.max(most, Math.abs(value - plain[name]![i]!)), 0),
        );
        expect(Math.max(...apart)).toBeGreaterThan(1e-3);
      });
    });
  });
});
