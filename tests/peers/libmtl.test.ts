import { integrateMatrix, type Json } from '@multigrad/core/strategy';
import {
  dwa,
  famo,
  gls,
  imtlL,
  randomLossWeighting,
  smoothTchebycheff,
  uncertaintyWeighting,
} from '@multigrad/scalarization';
import { alignedMtl } from '@multigrad/strategy-aligned-mtl';
import { cagrad } from '@multigrad/strategy-cagrad';
import { dbMtl } from '@multigrad/strategy-db-mtl';
import { excessMtl } from '@multigrad/strategy-excess-mtl';
import { fairgrad } from '@multigrad/strategy-fairgrad';
import { graddrop } from '@multigrad/strategy-graddrop';
import { gradnorm } from '@multigrad/strategy-gradnorm';
import { gradvac } from '@multigrad/strategy-gradvac';
import { imtlG } from '@multigrad/strategy-imtl-g';
import { mgda } from '@multigrad/strategy-mgda';
import { moco } from '@multigrad/strategy-moco';
import { modo } from '@multigrad/strategy-modo';
import { nashMtl } from '@multigrad/strategy-nash-mtl';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sdmgrad } from '@multigrad/strategy-sdmgrad';
import { sum } from '@multigrad/strategy-sum';
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

// docs/from-libmtl.md says what of LibMTL is what here: these are the numbers of LibMTL's own weightings, which
// scripts/check-peers/run recorded and checks where Python is at hand.

const rescales = ['none', 'square', 'linear'] as const;

const ours: Record<string, (given: Arguments, peer: PeerCase) => Ours> = {
  EW: () => ({ strategy: sum() }),
  UW: (_, { learning_rate }) => ({
    strategy: uncertaintyWeighting({ learningRate: learning_rate! }),
    tolerance: 1e-7,
  }),
  DWA: ({ number }) => ({ strategy: dwa({ temperature: number('T') }) }),
  GLS: () => ({ strategy: gls() }),
  FAMO: ({ number }) => ({
    strategy: famo({ learningRate: number('FAMO_w_lr'), decay: number('FAMO_w_gamma') }),
    tolerance: 1e-6,
  }),
  MGDA: ({ word }) => ({
    strategy: mgda({ normalization: word('mgda_gn') as 'none', applyTo: 'normalized' }),
    // Its ends are .999 and .001.
    tolerance: 3e-3,
  }),
  PCGrad: () => ({ strategy: pcgrad(), tolerance: 1e-7 }),
  GradVac: ({ number }) => ({
    strategy: gradvac({ beta: number('GradVac_beta') }),
    tolerance: 1e-7,
  }),
  CAGrad: ({ number }) => ({
    strategy: cagrad({ c: number('calpha'), rescale: rescales[number('rescale')]! }),
    tolerance: 1e-3,
  }),
  Nash_MTL: ({ number }) => ({
    strategy: nashMtl({
      maxNorm: number('max_norm') === 0 ? null : number('max_norm'),
      updateEvery: number('update_weights_every'),
    }),
    tolerance: 1e-3,
  }),
  Aligned_MTL: (_, { steps }) => ({ strategy: alignedMtl(), factor: steps[0]!.jacobian!.length }),
  MoCo: ({ number }) => ({
    strategy: moco({
      beta: number('MoCo_beta'),
      betaSigma: number('MoCo_beta_sigma'),
      gamma: number('MoCo_gamma'),
      gammaSigma: number('MoCo_gamma_sigma'),
      rho: number('MoCo_rho'),
    }),
    tolerance: 1e-7,
  }),
  MoDo: ({ number }) => ({
    strategy: modo({ gamma: number('MoDo_gamma'), rho: number('MoDo_rho') }),
  }),
  SDMGrad: ({ number }) => ({
    strategy: sdmgrad({ lambda: number('SDMGrad_lamda'), iterations: number('SDMGrad_niter') }),
    tolerance: 1e-7,
  }),
  DB_MTL: ({ number }) => ({
    strategy: dbMtl({ beta: number('DB_beta'), betaSigma: number('DB_beta_sigma') }),
    tolerance: 1e-6,
  }),
  FairGrad: ({ number }) => ({
    strategy: fairgrad({ alpha: number('FairGrad_alpha') }),
    tolerance: 1e-3,
  }),
  ExcessMTL: ({ number }) => ({
    strategy: excessMtl({ stepSize: number('robust_step_size') }),
    tolerance: 1e-6,
  }),
  UPGrad: () => ({ strategy: upgrad(), tolerance: 1e-3 }),
};

const cases = recorded('libmtl');
const of = (name: string): PeerCase => cases.find((peer) => peer.name === name)!;
/** Compared below, each in its own way. */
const apartFromTheTable = new Set(['STCH', 'RLW', 'GradNorm', 'GradDrop', 'IMTL']);
const ordered = (peer: PeerCase): boolean =>
  peer.name === 'PCGrad' && peer.steps[0]!.jacobian!.length > 2;

/** SDMGrad takes its update from the first of three batches there and from the last here. */
function inOurOrder(peer: PeerCase): PeerCase {
  if (peer.name !== 'SDMGrad') return peer;
  return {
    ...peer,
    steps: peer.steps.map(({ jacobian, batches, losses }) => ({
      jacobian: batches![0]!,
      batches: [batches![1]!, jacobian!],
      losses: losses!,
    })),
  };
}

describe('what LibMTL computes', () => {
  it.each(
    cases
      .filter((peer) => !apartFromTheTable.has(peer.name) && !ordered(peer))
      .map((peer) => [peer.name, JSON.stringify(peer.arguments ?? {}), peer] as const),
  )('is what %s(%s) is here', (name, _, peer) => {
    const { strategy, factor = 1, tolerance = 1e-9 } = ours[name]!(argumentsOf(peer), peer);
    expect(apart(updatesOf(strategy, inOurOrder(peer), { factor }), peer)).toBeLessThan(tolerance);
  });

  it('PCGrad, in some order of the objectives, is what it is here for some seed', () => {
    const peer = cases.find(ordered)!;
    const distances = Array.from({ length: 100 }, (_, seed) =>
      apart(updatesOf(pcgrad({ seed }), peer), peer),
    );
    expect(Math.min(...distances)).toBeLessThan(1e-6);
  });

  it('gives an end of MGDA .999 and .001', () => {
    const peer = cases.filter(({ name }) => name === 'MGDA').at(-1)!;
    expect(peer.found[1]!.update).toEqual([expect.closeTo(1.002, 9), expect.closeTo(0.001, 9), 0]);
    expect(updatesOf(mgda(), peer)[1]).toEqual([1, 0, 0]);
  });

  it('draws weights of sum 1 for RLW, K times less than here', () => {
    const total = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b);
    expect(total(of('RLW').found[0]!.update!)).toBeCloseTo(1, 9);
    const { weights } = integrateMatrix(randomLossWeighting(), of('RLW').steps[0]!.jacobian!);
    expect(total(weights)).toBeCloseTo(3, 12);
  });

  it('has in its STCH the form with a warm-up: another function than the equation', () => {
    for (const peer of cases.filter(({ name }) => name === 'STCH')) {
      const { number } = argumentsOf(peer);
      const mu = number('STCH_mu');
      const strategy = smoothTchebycheff({ mu, warmupEpochs: number('STCH_warmup_epoch') });
      expect(apart(updatesOf(strategy, peer), peer)).toBeLessThan(1e-9);
      expect(apart(updatesOf(smoothTchebycheff({ mu }), peer), peer)).toBeGreaterThan(0.1);
    }
  });

  it('has another GradNorm: K times a softmax, from the second epoch on', () => {
    const peer = of('GradNorm');
    // The first epoch, and the second's first step: the plain sum.
    const plain = updatesOf(sum(), { ...peer, steps: peer.steps.slice(0, 2) });
    expect(apart(plain, { ...peer, found: peer.found.slice(0, 2) })).toBeLessThan(1e-9);
    // Weights of the third step, by the rows (-4, 1, 1) and (6, 1, 1): their sum is 2 there as here.
    const [x, y] = peer.found[2]!.update!;
    const second = (x! + 4 * y!) / 10;
    expect(y).toBeCloseTo(2, 9);
    // One step of its learning rate down Σ |G_k − T_k| through the softmax.
    const lengths = [Math.sqrt(18), Math.sqrt(38)];
    const rates = [0.5 / 0.7, 1.9 / 2];
    const mean = (lengths[0]! + lengths[1]!) / 2;
    const targets = rates.map((rate) => mean * (rate / ((rates[0]! + rates[1]!) / 2)) ** 1.5);
    const slopes = lengths.map((length, k) => Math.sign(length - targets[k]!) * length);
    // d(2 softmax(s))_k / ds_j at s = 0 is ½ for k = j, and −½ else.
    const down = (slopes[0]! - slopes[1]!) / 2;
    const shares = [Math.exp(-0.1 * down), Math.exp(0.1 * down)];
    expect(second).toBeCloseTo((2 * shares[1]!) / (shares[0]! + shares[1]!), 9);
    // Here c itself is stepped, by a rate relative to the mean length: to the same side, not as far.
    const here = updatesOf(
      gradnorm({ alpha: 1.5, learningRate: 0.1 }),
      {
        ...peer,
        steps: peer.steps.slice(1).map(({ jacobian, losses }) => ({
          jacobian: jacobian!,
          losses: losses!,
        })),
      },
      { initial: { '0': { weight: 1, first: 0.7 }, '1': { weight: 1, first: 2 } } },
    ).at(-1)!;
    const own = (here[0]! + 4 * here[1]!) / 10;
    expect(Math.sign(own - 1)).toBe(Math.sign(second - 1));
    expect(Math.abs(own - second)).toBeGreaterThan(0.01);
  });

  it('has IMTL-L and IMTL-G in one: here the losses that IMTL-G sees are scaled first', () => {
    const peer = of('IMTL');
    const scales = imtlL({ learningRate: peer.learning_rate! });
    let state: Json = {};
    peer.steps.forEach(({ jacobian, losses }, step) => {
      const scaled = integrateMatrix(scales, jacobian!, { losses: losses!, state });
      state = scaled.state;
      const rows = jacobian!.map((row, k) => row.map((value) => value * scaled.weights[k]!));
      const { update } = integrateMatrix(imtlG(), rows);
      peer.found[step]!.update!.forEach((value, c) => expect(update[c]).toBeCloseTo(value, 9));
    });
  });

  it('drops of each coordinate one sign or the other, or none', () => {
    for (const peer of cases.filter(({ name }) => name === 'GradDrop')) {
      const leak = argumentsOf(peer).number('leak');
      const names = peer.steps[0]!.jacobian!.map((_, k) => String(k));
      const leaks = Object.fromEntries(names.map((name) => [name, leak]));
      expectSomeSeedFinds(peer, (seed) => graddrop({ seed, leak: leaks }));
    }
  });

  it('is recorded for every weighting that the page names', () => {
    const known = new Set(cases.map(({ name }) => name));
    const named = methodsIn('from-libmtl.md', 'Weightings');
    expect(named.length).toBeGreaterThan(20);
    for (const name of named) expect(known.has(name), name).toBe(true);
  });
});
