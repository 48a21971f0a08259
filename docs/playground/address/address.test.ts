import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offeredStrategies } from '../plane/strategies.ts';
import { coordinate, limit } from '../plane/view.ts';
import { backends, lastStep, networks, objectives, seeds } from '../training/protocol.ts';
import { addressOf, stateOfAddress } from './address.ts';
import { paces, pathLimits, pathRates, type PlaygroundState, usualState, views } from './state.ts';

const ids = offeredStrategies.map(({ id }) => id);
const some = fc.shuffledSubarray(ids);
const point = (most: number): fc.Arbitrary<[number, number]> => {
  const part = fc.double({ noNaN: true, min: -most, max: most }).map(coordinate);
  return fc.tuple(part, part);
};
const optimizer = fc.constantFrom('adam' as const, 'sgd' as const);

const states: fc.Arbitrary<PlaygroundState> = fc.record({
  view: fc.constantFrom(...views),
  training: fc.record({
    strategies: fc
      .shuffledSubarray(ids, { minLength: 2, maxLength: 2 })
      .map(([first, second]): [string, string] => [first!, second!]),
    network: fc.constantFrom(...networks),
    seed: fc.integer({ min: 0, max: seeds - 1 }),
    backend: fc.constantFrom(...backends),
    curve: fc.constantFrom(...objectives),
    steps: fc.integer({ min: 0, max: lastStep }),
  }),
  plane: fc.record({
    gradients: fc.array(point(limit), { minLength: 2, maxLength: 3 }),
    shown: some,
  }),
  paths: optimizer.chain((by) =>
    fc.record({
      strategies: some,
      starts: fc.array(point(10), { maxLength: pathLimits.starts }),
      optimizer: fc.constant(by),
      rate: fc.constantFrom(...pathRates[by]),
      pace: fc.constantFrom(...paces),
      steps: fc.integer({ min: 0, max: pathLimits.steps }),
    }),
  ),
});

describe('the address of the playground', () => {
  it('shows every state again', () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(stateOfAddress(`#${addressOf(state)}`)).toEqual({ state });
        // As a browser or a mail program may have written it.
        const encoded = encodeURIComponent(addressOf(state)).replaceAll('%3D', '=');
        expect(stateOfAddress(`#${encoded.replaceAll('%26', '&')}`)).toEqual({ state });
      }),
    );
  });

  it('is short and can be read', () => {
    expect(addressOf(usualState)).toBe('view=training');
    const { plane } = usualState;
    const state: PlaygroundState = {
      ...usualState,
      view: 'plane',
      plane: {
        ...plane,
        gradients: [
          [1, 2],
          [-3, 0.5],
        ],
        shown: ['sum'],
      },
    };
    expect(addressOf(state)).toBe('view=plane&g=1,2;-3,0.5&show=sum');
  });

  it('names a view as anchors do, and nothing where it is empty', () => {
    expect(stateOfAddress('')).toEqual({ state: usualState });
    expect(stateOfAddress('#paths')).toEqual({ state: { ...usualState, view: 'paths' } });
  });

  it('may be one of the time at which it held the plane alone', () => {
    const { state, problem } = stateOfAddress('#g=0.8,0.3;-2,1.6&show=sum');
    expect(problem).toBeUndefined();
    expect(state.view).toBe('plane');
    expect(state.plane).toEqual({
      gradients: [
        [0.8, 0.3],
        [-2, 1.6],
      ],
      shown: ['sum'],
    });
  });

  it('keeps coordinates within their limits, in hundredths', () => {
    expect(stateOfAddress('#g=1e9,-1e9;0.123,-0.001').state.plane.gradients).toEqual([
      [limit, -limit],
      [0.12, 0],
    ]);
  });

  it.each([
    ['#nonsense', 'nonsense'],
    ['#view=', 'view='],
    ['#view=elsewhere', 'view=elsewhere'],
    ['#g=1,2', 'g=1,2'],
    ['#g=1,2;3', 'g=1,2;3'],
    ['#g=1,2;3,x', 'g=1,2;3,x'],
    ['#g=1,;3,4', 'g=1,;3,4'],
    ['#g=1,2;3,4;5,6;7,8', 'g=1,2;3,4;5,6;7,8'],
    ['#g=1,2;3,Infinity', 'g=1,2;3,Infinity'],
    ['#view=plane&show=sum,unknown', 'show=sum,unknown'],
    ['#view=plane&show=sum,sum', 'show=sum,sum'],
    ['#view=training&train=sum', 'train=sum'],
    ['#view=training&train=sum,sum', 'train=sum,sum'],
    ['#view=training&seed=1.5', 'seed=1.5'],
    ['#view=training&seed=', 'seed='],
    ['#view=training&trained=100000', 'trained=100000'],
    ['#view=paths&from=1,2,3', 'from=1,2,3'],
    ['#view=paths&from=100,0', 'from=100,0'],
    ['#view=paths&optimizer=sgd&rate=0.01', 'rate=0.01'],
    ['#view=paths&walked=-1', 'walked=-1'],
    ['#view=paths&colour=red', 'colour'],
    ['#view=paths&%E0%A4%A=1', '%E0'],
  ])('tells what of %s cannot be shown, and shows the rest', (hash, named) => {
    const { state, problem } = stateOfAddress(hash);
    if (named !== '%E0') expect(problem).toContain(`(${named})`);
    expect(problem).toMatch(/^This address holds something/);
    expect(stateOfAddress(`#${addressOf(state)}`)).toEqual({ state });
    if (hash.startsWith('#view=paths')) expect(state.view).toBe('paths');
  });

  it('gives paths the usual learning rate of their optimizer', () => {
    expect(stateOfAddress('#view=paths&optimizer=sgd').state.paths.rate).toBe(0.02);
  });
});
