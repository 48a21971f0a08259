import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { expectConstantMemory, startTestBackend, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GradientStrategy } from '../contract/strategy.ts';
import { integrateGradients } from './integrate-gradients.ts';
import type { IntegrateOptions } from './integrate-options.ts';
import type { IntegrationState } from '../network/integration-state.ts';

beforeAll(async () => {
  await startTestBackend();
});

/** Weights from the norms at even steps, kept at odd ones; or looked at anew and left as they are. */
function everySecond(rereads: boolean): GradientStrategy<number[]> {
  return {
    specification: 1,
    name: 'every-second',
    needs: { gradients: 'gramian' },
    ...(rereads
      ? {}
      : { needsNow: (kept) => ({ gradients: kept.length > 0 ? 'none' : 'gramian' }) }),
    init: () => [],
    integrate(gradients, kept) {
      if (kept.length > 0) return { weights: Float64Array.from(kept), state: [] };
      const { size, values } = gradients.gramian;
      const weights = Float64Array.from({ length: size }, (_, k) => 1 + values[k * size + k]!);
      return { weights, state: [...weights] };
    },
  };
}

/** Two encoders, each reached by its own objective and a joint one, and a head for each. */
function multimodal() {
  const shapes = { image: [3], audio: [3], jointHead: [2], imageHead: [3], audioHead: [3] };
  const variables = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], index) => [
      name,
      variableOf(() => tf.randomNormal(shape, 0, 1, 'float32', index)),
    ]),
  ) as Record<keyof typeof shapes, tf.Variable>;
  const { image, audio, jointHead, imageHead, audioHead } = variables;
  const forward = () => {
    const parts = [tf.sum(tf.sin(image)), tf.sum(tf.square(audio))];
    return {
      joint: tf.sum(tf.mul(jointHead, tf.stack(parts))),
      image: tf.sum(tf.mul(imageHead, tf.sin(image))),
      audio: tf.sum(tf.mul(audioHead, tf.cos(audio))),
    };
  };
  return { variables: Object.values(variables), forward };
}

describe('reused weights', () => {
  it.each([
    ['each encoder a group', {}],
    ['heads weighted too', { singles: 'weighted' }],
  ] as const)(
    'take one backward pass and give what all backward passes give: %s',
    async (_, grouping) => {
      await expectConstantMemory(async () => {
        const { variables, forward } = multimodal();
        const states: (IntegrationState | undefined)[] = [undefined, undefined];
        for (let step = 0; step < 4; step += 1) {
          const [reused, read] = await [0, 1].reduce<
            Promise<Awaited<ReturnType<typeof integrateGradients>>[]>
          >(async (before, at) => {
            const results = await before;
            const options: IntegrateOptions = { ...grouping, state: states[at] };
            const strategy = everySecond(at === 1);
            results.push(await integrateGradients(strategy, forward, variables, options));
            return results;
          }, Promise.resolve([]));
          expect([reused!.backwardPasses, read!.backwardPasses]).toEqual([
            step % 2 === 0 ? 3 : 1,
            3,
          ]);
          expect(reused!.groups.some(({ norms }) => norms === null)).toBe(step % 2 === 1);
          expect(reused!.groups.map(({ weights }) => weights)).toEqual(
            read!.groups.map(({ weights }) => weights),
          );
          for (const { name } of variables) {
            const expected = read!.gradients[name]!.dataSync();
            reused!.gradients[name]!.dataSync().forEach((value, c) => {
              expect(Math.abs(value - expected[c]!)).toBeLessThanOrEqual(
                2e-6 * (1 + Math.abs(expected[c]!)),
              );
            });
          }
          expect(JSON.stringify(reused!.state)).toBe(JSON.stringify(read!.state));
          tf.dispose([reused!.gradients, read!.gradients]);
          states[0] = reused!.state;
          states[1] = read!.state;
        }
        tf.dispose(variables);
      });
    },
  );

  it('take a backward pass for each objective where no scalar loss expresses them', async () => {
    await expectConstantMemory(async () => {
      const { variables, forward } = multimodal();
      const options: IntegrateOptions = { groupBy: 'tensor' };
      const both = () => {
        const { joint, image, audio } = forward();
        return { joint, rest: tf.add(image, tf.mul(audio, joint)) };
      };
      const first = await integrateGradients(everySecond(false), both, variables, options);
      const second = await integrateGradients(everySecond(false), both, variables, {
        ...options,
        state: first.state,
      });
      expect(second.backwardPasses).toBe(2);
      expect(second.groups.map(({ weights }) => weights)).toEqual(
        first.groups.map(({ weights }) => weights),
      );
      tf.dispose([first.gradients, second.gradients, variables]);
    });
  });
});
