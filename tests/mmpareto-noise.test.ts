import { balanced, mmcosine } from '@multigrad/balancing';
import { MultiObjectiveTrainer, type StepReport } from '@multigrad/core';
import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { normalTensor, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

// With one feature an encoder's part of the joint logits is a cosine of 1 or −1: MMCosine's joint loss does not depend on the
// encoder, and what is left of that gradient is rounding.

/** Trains by MMPareto under MMCosine, whose joint gradients of encoders are rounding; reports of all steps. */
async function reportsOf(seed: number): Promise<StepReport[]> {
  const encoder = (name: string) =>
    multilayerPerceptron({ name, shape: [6], hidden: [64], features: 1, seed });
  const network = multimodalNetwork({
    encoders: { a: encoder('a'), b: encoder('b') },
    ...{ classes: 3, seed },
  });
  const balance = balanced(mmcosine(), network);
  const optimizer = tf.train.sgd(0.05);
  const trainer = new MultiObjectiveTrainer({
    ...balance.options,
    variables: network.trainableVariables,
    parts: network.parts,
    strategy: mmpareto(),
    ...{ optimizer, observe: { every: 1 } },
  });
  const batch = {
    a: normalTensor([16, 6], seed),
    b: normalTensor([16, 6], seed + 9),
    label: tf.tensor1d(
      Array.from({ length: 16 }, (_, i) => i % 3),
      'int32',
    ),
  };
  const reports: StepReport[] = [];
  const onBatchEnd = (_: number, report: StepReport): void => void reports.push(report);
  try {
    await trainer.fit([batch], { epochs: 3, callbacks: [balance.callback, { onBatchEnd }] });
  } finally {
    trainer.dispose();
    optimizer.dispose();
    balance.dispose();
    network.dispose();
    tf.dispose(batch);
  }
  return reports;
}

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it('MMPareto does not blow up a joint gradient that is rounding, and says so', async () => {
    const reports = [...(await reportsOf(1)), ...(await reportsOf(2)), ...(await reportsOf(3))];
    const groups = reports
      .flatMap((report) => report.groups)
      .filter(({ objectives }) => objectives.length === 2);
    expect(groups).toHaveLength(18);
    for (const { weights } of groups) {
      // γ K / (2 √e), and e is at least 2⁻²².
      for (const weight of weights) expect(weight).toBeLessThanOrEqual(1.5 * 2 * 1024);
    }
    const noisy = groups.filter(({ note }) => note === 'noise');
    expect(noisy.length).toBeGreaterThan(0);
    for (const { diagnostics } of noisy) {
      expect(diagnostics!['ratio']).toBeGreaterThan(diagnostics!['lambda']!);
    }
  });
});
