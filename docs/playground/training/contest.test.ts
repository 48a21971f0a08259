import { useBackend } from '@multigrad/backends';
import type { Digits } from '@multigrad/datasets';
import { expectConstantMemory } from '@multigrad/test-support';
import { beforeAll, describe, expect, it } from 'vitest';
import { Contest, type Sizes } from './contest.ts';
import type { News, Settings, StepNews, TestNews } from './protocol.ts';

const sizes: Sizes = { batch: 8, width: 2, features: 8, testEvery: 3, observeEvery: 2 };
const settings: Settings = {
  strategies: ['sum', 'mmpareto'],
  network: 'small',
  seed: 3,
  backend: 'wasm',
};

/** Bars instead of digits: which columns are lit tells the label. */
function bars(count: number): Digits {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const images = Uint8Array.from({ length: count * 784 }, (_, i) => {
    const label = labels[Math.floor(i / 784)]!;
    return Math.floor((i % 28) / 2.8) === label ? 255 : 0;
  });
  return { labels, images, count };
}
const mnist = { train: bars(20), test: bars(10) };

beforeAll(async () => {
  await useBackend('wasm', { threads: 1 });
});

async function hold(rounds: number, given: Settings = settings): Promise<News[]> {
  const heard: News[] = [];
  await expectConstantMemory(async () => {
    let time = 0;
    const contest = new Contest(mnist, given, () => (time += 5), sizes);
    try {
      while (contest.step < rounds) await contest.round((news) => heard.push(news));
    } finally {
      contest.dispose();
    }
  });
  return heard;
}

const steps = (heard: readonly News[]): StepNews[] =>
  heard.filter((news): news is StepNews => news.kind === 'step');
const tests = (heard: readonly News[]): TestNews[] =>
  heard.filter((news): news is TestNews => news.kind === 'test');

describe('a contest', () => {
  it('lets both begin with the same weights and batch, and in turns', async () => {
    const heard = await hold(6);
    expect(steps(heard).map(({ side, step }) => [side, step])).toEqual([
      ...[
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
        [0, 2],
        [1, 2],
      ],
      ...[
        [1, 3],
        [0, 3],
        [0, 4],
        [1, 4],
        [1, 5],
        [0, 5],
      ],
    ]);
    const [first, second] = steps(heard);
    expect(first!.losses).toEqual(second!.losses);
    const last = steps(heard).slice(-2);
    expect(last[0]!.losses).not.toEqual(last[1]!.losses);
    expect(tests(heard).map(({ side, step }) => [side, step])).toEqual([
      ...[
        [0, 3],
        [1, 3],
      ],
      ...[
        [1, 6],
        [0, 6],
      ],
    ]);
    for (const { accuracies } of tests(heard)) {
      for (const accuracy of Object.values(accuracies))
        expect(accuracy >= 0 && accuracy <= 1).toBe(true);
    }
  });

  it('measures cosines now and then, and does not count what that costs', async () => {
    const heard = steps(await hold(4));
    const [sum, mmpareto] = ([0, 1] as const).map((side) =>
      heard.filter((news) => news.side === side),
    );
    for (const own of [sum!, mmpareto!]) {
      expect(own.map(({ cosines }) => cosines !== null)).toEqual([true, false, true, false]);
      for (const cosine of own.flatMap(({ cosines }) => Object.values(cosines ?? {})))
        expect(Math.abs(cosine)).toBeLessThan(1);
    }
    // The sum does not see gradients: at the steps at which they are measured it pays for what it does not need.
    expect(sum!.map(({ milliseconds }) => milliseconds)).toEqual([null, 5, null, 5]);
    expect(mmpareto!.map(({ milliseconds }) => milliseconds)).toEqual([null, 5, 5, 5]);
  });

  it('trains encoders of convolutions where they are asked for', async () => {
    const [dense, convolutional] = [
      await hold(2),
      await hold(2, { ...settings, network: 'convolutional' }),
    ].map((heard) => steps(heard).map(({ losses }) => losses));
    expect(convolutional).toHaveLength(4);
    expect(convolutional![2]).not.toEqual(convolutional![0]);
    expect(convolutional).not.toEqual(dense);
  });

  it('is the same again for the same seed, and another for another', async () => {
    const losses = async (seed: number): Promise<unknown> =>
      steps(await hold(3, { ...settings, seed })).map((news) => news.losses);
    const once = await losses(3);
    expect(await losses(3)).toEqual(once);
    expect(await losses(4)).not.toEqual(once);
  });

  it('does not begin with fewer digits than a batch', async () => {
    await expectConstantMemory(() => {
      const few = { ...mnist, train: bars(5) };
      expect(() => new Contest(few, settings, () => 0, sizes)).toThrow(/batch of 8. Found 5/);
      return Promise.resolve();
    });
  });
});
