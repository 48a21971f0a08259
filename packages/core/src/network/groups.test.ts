import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { expectConstantMemory, startTestBackend, variableOf } from '@multigrad/test-support';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GroupBy, NamedParts } from './groups.ts';
import { buildIntegration, integrateGradients } from '../step/integrate-gradients.ts';
import { fixedWeights, unitSum } from '../testing/strategies.ts';

beforeAll(async () => {
  await startTestBackend();
});

/** Two encoders of two layers that exchange features (dense fusion), a head each and a joint one. */
function denseFusion() {
  const names = [
    'a/one/w',
    'a/two/w',
    'b/one/w',
    'b/two/w',
    'head-a/w',
    'head-b/w',
    'head-joint/w',
  ];
  const [a1, a2, b1, b2, ha, hb, hj] = names.map((name, k) =>
    variableOf(() => tf.scalar(k + 1), name),
  );
  const objectives = () => {
    const [a, b] = [tf.square(a1!), tf.square(b1!)];
    const [fa, fb] = [tf.mul(a2!, tf.add(a, b)), tf.mul(b2!, tf.sub(b, a))];
    return {
      joint: tf.mul(hj!, tf.add(fa, fb)),
      a: tf.mul(ha!, fa),
      b: tf.mul(hb!, fb),
    };
  };
  const variables = [a1!, a2!, b1!, b2!, ha!, hb!, hj!];
  const parts: NamedParts = { a: [a1!, a2!], b: [b1!, b2!] };
  return { variables, parts, objectives, dispose: () => tf.dispose(variables) };
}

function groupsOf(groupBy: GroupBy, named: boolean): [string, string, string][] {
  const { variables, parts, objectives, dispose } = denseFusion();
  try {
    const state = buildIntegration(unitSum(), [objectives], variables, {
      groupBy,
      ...(named ? { parts } : {}),
    });
    return state.groups.map(({ key, objectives: reach, variables: members }) => [
      key,
      reach.join(),
      members.join(),
    ]);
  } finally {
    dispose();
  }
}

describe('groups', () => {
  it('by reach: variables that the same objectives reach are together, even of two encoders', () => {
    expect(groupsOf('reach', false)).toEqual([
      ['joint+a+b', 'joint,a,b', 'a/one/w,b/one/w'],
      ['joint+a', 'joint,a', 'a/two/w'],
      ['joint+b', 'joint,b', 'b/two/w'],
      ['a', 'a', 'head-a/w'],
      ['b', 'b', 'head-b/w'],
      ['joint', 'joint', 'head-joint/w'],
    ]);
  });

  it('by reach with named parts: encoders of equal reach stay apart', () => {
    expect(groupsOf('reach', true).map(([key, , members]) => [key, members])).toEqual([
      ['a/joint+a+b', 'a/one/w'],
      ['a/joint+a', 'a/two/w'],
      ['b/joint+a+b', 'b/one/w'],
      ['b/joint+b', 'b/two/w'],
      ['a', 'head-a/w'],
      ['b', 'head-b/w'],
      ['joint', 'head-joint/w'],
    ]);
  });

  it('shared: everything that two objectives reach is one group', () => {
    expect(groupsOf('shared', true)[0]).toEqual([
      'shared',
      'joint,a,b',
      'a/one/w,a/two/w,b/one/w,b/two/w',
    ]);
  });

  it('by layer, by tensor, by a function', () => {
    expect(groupsOf('layer', false).map(([key]) => key)).toEqual([
      'a/one',
      'a/two',
      'b/one',
      'b/two',
      'head-a',
      'head-b',
      'head-joint',
    ]);
    expect(groupsOf('tensor', false)).toHaveLength(7);
    expect(groupsOf(({ part, reach }) => (reach.length > 1 ? part! : 'heads'), true)).toEqual([
      ['a', 'joint,a,b', 'a/one/w,a/two/w'],
      ['b', 'joint,a,b', 'b/one/w,b/two/w'],
      ['heads', 'joint,a,b', 'head-a/w,head-b/w,head-joint/w'],
    ]);
  });

  it('refuse a variable in two parts, an unknown mode, a function without an answer', () => {
    const { variables, objectives, dispose } = denseFusion();
    const build = (options: object) => () =>
      buildIntegration(unitSum(), [objectives], variables, options);
    expect(build({ parts: { x: [variables[0]!], y: [variables[0]!] } })).toThrow(
      /`a\/one\/w` in `x` and in `y`/,
    );
    expect(build({ groupBy: 'rich' })).toThrow(/Found "rich"/);
    expect(build({ groupBy: () => '' })).toThrow(/non-empty string/);
    dispose();
  });

  it('give objectives that do not reach a member of a shared group rows of zeros', async () => {
    await expectConstantMemory(async () => {
      const { variables, objectives, dispose } = denseFusion();
      const result = await integrateGradients(unitSum(), objectives, variables, {
        groupBy: 'shared',
      });
      const [group] = result.groups;
      const single = await integrateGradients(fixedWeights(), objectives, variables, {
        groupBy: 'shared',
        observe: true,
      });
      // g_a over the whole group: ∂a/∂a1, ∂a/∂a2, ∂a/∂b1, and nothing for b2.
      const [a1, a2, b1, ha] = [1, 2, 3, 5];
      const norm = Math.hypot(ha * a2 * 2 * a1, ha * (a1 * a1 + b1 * b1), ha * a2 * 2 * b1);
      expect(group!.norms![1]).toBeCloseTo(norm, 3);
      expect(single.groups[0]!.norms![1]).toBeCloseTo(norm, 3);
      tf.dispose([result.gradients, single.gradients]);
      dispose();
    });
  });

  it('refuse a state that was made with another grouping', async () => {
    const { variables, objectives, dispose } = denseFusion();
    const state = buildIntegration(unitSum(), [objectives], variables, { groupBy: 'shared' });
    await expect(integrateGradients(unitSum(), objectives, variables, { state })).rejects.toThrow(
      /groupBy differs: found shared, expected reach/,
    );
    dispose();
  });
});
