import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import {
  answerOf,
  answerTo,
  engineAnswer,
  entangledRows,
  expectConstantMemory,
  gradientsOf,
  judgedStrategies,
  noisyGramian,
  opposedNetwork,
  testedBackends,
  trialOf,
  type Verdict,
} from '@multigrad/test-support';
import { beforeAll, describe, expect, it } from 'vitest';

// A sample of what `npm run soak -- exact` does at length: answers of strategies, judged without rounding.

const sound = ({ error, conflict, longer }: Verdict): boolean =>
  error <= 1 && conflict <= 1 && !longer;

describe.each(judgedStrategies)('$name', ({ strategy, judge }) => {
  it.each([
    ['float64', 2 ** -52],
    ['float32', 2 ** -22],
  ])('keeps its bounds for entangled rows and noise of %s', (_, noise) => {
    let moving = 0;
    for (let seed = 1; seed <= 150; seed += 1) {
      const rows = entangledRows(seed, 2 + (seed % 11));
      const trial = trialOf(rows, noisyGramian(rows, noise, seed));
      const answer = answerOf(strategy, trial);
      expect(judge(trial, answer), `seed ${seed}`).toSatisfy(sound);
      if (answer.length > 0) moving += 1;
    }
    // Zero for all would be in order, and prove nothing.
    expect(moving).toBeGreaterThan(20);
  });

  it('is told from what is wrong', () => {
    const rows = [
      [3, 1, 0],
      [-1, 2, 1],
      [1, -1, 4],
    ];
    const trial = trialOf(rows, noisyGramian(rows, 0, 0));
    const { weights, note } = answerOf(strategy, trial);
    const judged = (changed: Float64Array): boolean =>
      sound(judge(trial, answerTo(trial, changed, note)));
    expect(judged(weights)).toBe(true);
    expect(judged(weights.map((weight) => 3 * weight))).toBe(false);
    expect(judged(weights.map((weight, k) => (k === 0 ? weight + 0.1 : weight)))).toBe(false);
    expect(judged(weights.map((weight) => -weight))).toBe(false);
  });
});

describe.each(testedBackends())('networks with opposite objectives on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it('are integrated within the bounds of each strategy', async () => {
    await expectConstantMemory(async () => {
      for (let seed = 1; seed <= 14; seed += 1) {
        const network = opposedNetwork(seed);
        const rows = gradientsOf(network);
        for (const { name, strategy, judge } of judgedStrategies) {
          const { trial, answer, rounding } = await engineAnswer(network, rows, strategy);
          expect(judge(trial, answer), `${name}, seed ${seed}`).toSatisfy(sound);
          expect(rounding, `${name}, seed ${seed}`).toBeLessThanOrEqual(1);
        }
        network.dispose();
      }
    });
  });
});
