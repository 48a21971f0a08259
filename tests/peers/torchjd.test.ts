import { weightMomentum } from '@multigrad/composition';
import { type GradientStrategy, integrateMatrix } from '@multigrad/core/strategy';
import {
  cosmos,
  dwa,
  famo,
  gls,
  imtlL,
  pbi,
  randomLossWeighting,
  smoothTchebycheff,
  uncertaintyWeighting,
} from '@multigrad/scalarization';
import { alignedMtl } from '@multigrad/strategy-aligned-mtl';
import { cagrad } from '@multigrad/strategy-cagrad';
import { conflictFree } from '@multigrad/strategy-conflict-free';
import { dualproj } from '@multigrad/strategy-dualproj';
import { fairgrad } from '@multigrad/strategy-fairgrad';
import { graddrop } from '@multigrad/strategy-graddrop';
import { gradvac } from '@multigrad/strategy-gradvac';
import { imtlG } from '@multigrad/strategy-imtl-g';
import { krum } from '@multigrad/strategy-krum';
import { mgda } from '@multigrad/strategy-mgda';
import { modo } from '@multigrad/strategy-modo';
import { nashMtl } from '@multigrad/strategy-nash-mtl';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { randomGradientWeighting } from '@multigrad/strategy-random-gradient-weighting';
import { sdmgrad } from '@multigrad/strategy-sdmgrad';
import { sum } from '@multigrad/strategy-sum';
import { trimmedMean } from '@multigrad/strategy-trimmed-mean';
import { upgrad } from '@multigrad/strategy-upgrad';
import { describe, expect, it } from 'vitest';
import {
  apart,
  type Arguments,
  argumentsOf,
  expectSomeSeedFinds,
  methodsIn,
  type Ours,
  type PeerCase,
  recorded,
  updatesOf,
} from './recorded.ts';

// docs/from-torchjd.md says what of TorchJD is what here: these are TorchJD's own numbers, which scripts/check-peers/run
// recorded and checks where Python is at hand.

const exact = 1e-9;
const regularised = 2e-3;

const ours: Record<string, (given: Arguments, peer: PeerCase) => Ours> = {
  Sum: () => ({ strategy: sum() }),
  Constant: ({ byName }) => ({ strategy: sum({ weights: byName('weights')! }) }),
  Mean: (_, { steps }) => ({ strategy: sum(), factor: 1 / steps[0]!.jacobian!.length }),
  UPGrad: ({ byName }) => ({
    strategy: upgrad({ preference: byName('pref_vector') ?? null }),
    tolerance: regularised,
  }),
  DualProj: ({ byName }) => ({
    strategy: dualproj({ preference: byName('pref_vector') ?? null }),
    tolerance: regularised,
  }),
  MGDA: () => ({ strategy: mgda(), tolerance: 1e-5 }),
  PCGrad: () => ({ strategy: pcgrad() }),
  CAGrad: ({ number }) => ({ strategy: cagrad({ c: number('c') }), tolerance: 1e-3 }),
  IMTLG: () => ({ strategy: imtlG() }),
  NashMTL: ({ number }) => ({
    strategy: nashMtl({
      maxNorm: number('max_norm', 1) === 0 ? null : number('max_norm', 1),
      updateEvery: number('update_weights_every', 1),
    }),
    tolerance: 1e-3,
  }),
  AlignedMTL: ({ word, byName }) => {
    const preference = byName('pref_vector');
    return {
      strategy: alignedMtl({
        scale: word('scale_mode', 'min') as 'min',
        preference: preference ?? null,
      }),
      // Preferences here have the sum 1.
      factor: preference ? Object.values(preference).reduce((a, b) => a + b) : 1,
    };
  },
  ConFIG: ({ byName }) => ({
    strategy: conflictFree({ preference: byName('pref_vector') ?? null }),
  }),
  FairGrad: ({ number }) => ({ strategy: fairgrad({ alpha: number('alpha') }), tolerance: 1e-3 }),
  GradVac: ({ number }) => ({ strategy: gradvac({ beta: number('beta') }), tolerance: 1e-7 }),
  Krum: ({ number }) => ({
    strategy: krum({ byzantine: number('n_byzantine'), selected: number('n_selected', 1) }),
  }),
  TrimmedMean: ({ number }) => ({ strategy: trimmedMean({ trim: number('trim_number') }) }),
  MoDoWeighting: ({ number }) => ({
    strategy: modo({ gamma: number('gamma', 0.1), rho: number('rho', 0.1) }),
  }),
  SDMGradWeighting: ({ number }) => ({
    strategy: sdmgrad({
      learningRate: number('lr', 10),
      momentum: number('momentum', 0.5),
      iterations: number('n_iter', 20),
      lambda: number('lambda_', 0.3),
    }),
    tolerance: 1e-7,
  }),
  CRMOGMWeighting: ({ number }) => ({
    strategy: weightMomentum(upgrad(), { alpha: number('alpha', 0.9) }),
    tolerance: regularised,
  }),
  'scalarization.UW': (_, { learning_rate }) => ({
    strategy: uncertaintyWeighting({ learningRate: learning_rate! }),
    // It starts from 0 there and from -0.5 here.
    initial: { '0': 0, '1': 0, '2': 0 },
  }),
  'scalarization.IMTLL': (_, { learning_rate }) => ({
    strategy: imtlL({ learningRate: learning_rate! }),
  }),
  'scalarization.DWA': ({ number }) => ({
    strategy: dwa({ temperature: number('temperature', 2) }),
  }),
  'scalarization.FAMO': () => ({ strategy: famo(), tolerance: 1e-6 }),
  'scalarization.GeometricMean': () => ({ strategy: gls() }),
  'scalarization.STCH': ({ number, byName }) => ({
    strategy: smoothTchebycheff({
      mu: number('mu'),
      preference: byName('weights') ?? null,
      reference: byName('reference') ?? null,
    }),
  }),
  'scalarization.PBI': ({ number, byName }) => ({
    strategy: pbi({
      theta: number('theta'),
      preference: byName('weights')!,
      reference: byName('reference') ?? null,
    }),
  }),
  'scalarization.COSMOS': ({ number, byName }) => ({
    strategy: cosmos({ mu: number('lambda_'), preference: byName('weights')! }),
  }),
};

const keyOf = ({ kind, name }: PeerCase): string =>
  kind === 'scalarization' ? `scalarization.${name}` : name;

/** Those that draw: their numbers depend on another generator. */
const drawn = new Set(['Random', 'scalarization.Random', 'GradDrop']);
const cases = recorded('torchjd');
const ordered = (peer: PeerCase): boolean =>
  ['PCGrad', 'GradVac'].includes(peer.name) && peer.steps[0]!.jacobian!.length > 2;

describe('what TorchJD computes', () => {
  it.each(
    cases
      .filter((peer) => !drawn.has(keyOf(peer)) && !ordered(peer) && peer.about === undefined)
      .map((peer) => [keyOf(peer), JSON.stringify(peer.arguments ?? {}), peer] as const),
  )('is what %s(%s) is here', (name, _, peer) => {
    const {
      strategy,
      factor = 1,
      initial,
      tolerance = exact,
    } = ours[name]!(argumentsOf(peer), peer);
    const found = updatesOf(strategy, peer, {
      factor,
      ...(initial === undefined ? {} : { initial }),
    });
    expect(apart(found, peer)).toBeLessThan(tolerance);
  });

  it.each(cases.filter(ordered).map((peer) => [peer.name, peer] as const))(
    '%s in some order of the objectives is what it is here for some seed',
    (name, peer) => {
      const make = (seed: number): GradientStrategy =>
        name === 'PCGrad'
          ? pcgrad({ seed })
          : gradvac({
              seed,
              beta: peer.arguments!['beta'] as number,
            });
      const distances = Array.from({ length: 100 }, (_, seed) =>
        apart(updatesOf(make(seed), peer), peer),
      );
      expect(Math.min(...distances)).toBeLessThan(1e-6);
    },
  );

  it('draws weights of sum 1 from gradients, as here, and from losses, K times less than here', () => {
    const total = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b);
    const jacobian = [
      [1, 0],
      [0, 1],
    ];
    const theirs = cases.find((peer) => keyOf(peer) === 'Random')!;
    expect(total(theirs.found[0]!.update!)).toBeCloseTo(1, 12);
    expect(total(integrateMatrix(randomGradientWeighting(), jacobian).weights)).toBeCloseTo(1, 12);
    const ofLosses = cases.find((peer) => keyOf(peer) === 'scalarization.Random')!;
    expect(total(ofLosses.found[0]!.weights!)).toBeCloseTo(1, 12);
    expect(total(integrateMatrix(randomLossWeighting(), jacobian).weights)).toBeCloseTo(2, 12);
  });

  it('drops of each coordinate one sign or the other, or none', () => {
    for (const peer of cases.filter(({ name }) => name === 'GradDrop')) {
      const leak = argumentsOf(peer).byName('leak') ?? null;
      expectSomeSeedFinds(peer, (seed) => graddrop({ seed, leak }));
    }
  });

  it('has absolute epsilons, as the page says: small gradients have their mean, or nothing', () => {
    const [upgradOfSmall, cagradOfSmall] = cases.filter(({ about }) => about === 'epsilon');
    const tiny = upgradOfSmall!.steps[0]!.jacobian!;
    const mean = tiny[0]!.map((value, c) => (value + tiny[1]![c]!) / 2);
    upgradOfSmall!.found[0]!.update!.forEach((value, c) => expect(value).toBeCloseTo(mean[c]!, 12));
    expect(cagradOfSmall!.found[0]!.update!.every((value) => value === 0)).toBe(true);
    for (const strategy of [upgrad(), cagrad({ c: 0.5 })]) {
      const small = integrateMatrix(strategy, tiny).update;
      const plain = integrateMatrix(
        strategy,
        tiny.map((row) => row.map((x) => x * 1000)),
      ).update;
      small.forEach((value, c) => expect(value * 1000).toBeCloseTo(plain[c]!, 12));
    }
  });

  it('is recorded for every method that the page names', () => {
    const known = new Set(cases.map(keyOf));
    const named = methodsIn('from-torchjd.md', 'Aggregators and scalarizers');
    expect(named.length).toBeGreaterThan(25);
    for (const name of named) {
      const names = [name, `scalarization.${name}`];
      expect(
        names.some((one) => known.has(one)),
        name,
      ).toBe(true);
    }
  });
});
