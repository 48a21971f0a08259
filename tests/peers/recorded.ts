import { type GradientStrategy, integrateMatrix, type Json } from '@multigrad/core/strategy';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/** One step of a peer: what it was given. */
export interface PeerStep {
  readonly jacobian?: readonly number[][];
  readonly losses?: readonly number[];
  /** Losses of the same batch after the step. */
  readonly after?: readonly number[];
  /** The same gradients on two further batches. */
  readonly batches?: readonly (readonly number[][])[];
  /** Whether an epoch ends with this step. */
  readonly epoch_ends?: boolean;
  /** Number of the epoch, from 0. */
  readonly epoch?: number;
  /** Mean losses of the epochs before. */
  readonly epoch_means?: readonly number[][];
}

/** A method of a peer, what it was given at each step and what it found. */
export interface PeerCase {
  readonly name: string;
  readonly kind?: 'aggregation' | 'scalarization';
  readonly arguments?: Readonly<Record<string, number | string | readonly number[]>>;
  readonly learning_rate?: number;
  /** What the case shows, where it is not what its method computes as a rule. */
  readonly about?: 'epsilon';
  readonly steps: readonly PeerStep[];
  /** Of each step the update, or the weights of the losses. */
  readonly found: readonly {
    readonly update?: readonly number[];
    readonly weights?: readonly number[];
  }[];
}

/** What the page about a peer says that one of its methods is here. */
export interface Ours {
  readonly strategy: GradientStrategy;
  /** The page says that the peer's update is so many times ours. */
  readonly factor?: number;
  /** State that makes up for another start. */
  readonly initial?: Json;
  /** Relative; wider where the peer iterates, regularises, or adds a constant to what it divides by. */
  readonly tolerance?: number;
}

/** What `scripts/check-peers/run` recorded of a peer. */
export function recorded(peer: string): readonly PeerCase[] {
  return recordOf(peer).cases as PeerCase[];
}

/** The same for a peer whose cases are of a kind of their own. */
export function recordOf(peer: string): { readonly cases: unknown } {
  const text = readFileSync(join(import.meta.dirname, `${peer}.json`), 'utf8');
  return JSON.parse(text) as { cases: unknown };
}

/** The updates of a strategy over the steps of a case, each times a factor; weights where the peer found weights. */
export function updatesOf(
  strategy: GradientStrategy,
  { steps }: PeerCase,
  { factor = 1, initial }: { factor?: number; initial?: Json } = {},
): number[][] {
  const count = steps[0]!.jacobian?.length ?? steps[0]!.losses!.length;
  const objectives = namesOf(count);
  let state = initial ?? strategy.init({ key: 'matrix', objectives, tensors: ['matrix'] });
  let memory: ReadonlyMap<string, Float64Array> | undefined;
  return steps.map((step) => {
    for (const means of step.epoch_means ?? []) {
      state = strategy.onEpochEnd?.(Float64Array.from(means), objectives, state) ?? state;
    }
    // The unit matrix turns weights into the update.
    const jacobian =
      step.jacobian ?? objectives.map((_, k) => objectives.map((__, j) => +(j === k)));
    const result = integrateMatrix(strategy, jacobian, {
      state,
      ...(step.losses === undefined ? {} : { losses: step.losses }),
      ...(step.batches === undefined ? {} : { batches: step.batches }),
      ...(memory === undefined ? {} : { memory }),
    });
    state = result.state;
    memory = result.memory;
    if (step.after !== undefined) {
      state = strategy.onStepEnd!(Float64Array.from(step.after), objectives, state);
    }
    if (step.epoch_ends === true) {
      state = strategy.onEpochEnd!(Float64Array.from(step.losses!), objectives, state);
    }
    return Array.from(result.update, (value) => value * factor);
  });
}

/** The greatest distance between updates at a step, relative to the longer one. */
export function apart(ours: readonly number[][], { found }: PeerCase): number {
  return ours.reduce((most, update, step) => {
    const theirs = found[step]!.update ?? found[step]!.weights!;
    const length = Math.max(Math.hypot(...update), Math.hypot(...theirs));
    const distance = Math.hypot(...update.map((value, c) => value - theirs[c]!));
    return Math.max(most, distance / length);
  }, 0);
}

/** Names of objectives as `integrateMatrix` has them. */
export function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, k) => String(k));
}

/** What a peer's method was called with. */
export interface Arguments {
  /** A number, or what the peer takes where it was given none. */
  readonly number: (name: string, otherwise?: number) => number;
  /** A word. */
  readonly word: (name: string, otherwise?: string) => string;
  /** One number for each objective, by its name; undefined where it was given none. */
  readonly byName: (name: string) => Record<string, number> | undefined;
}

/** Reads the arguments of a case. */
export function argumentsOf({ arguments: given = {} }: PeerCase): Arguments {
  const value = (name: string, otherwise: unknown): unknown => {
    const found = given[name] ?? otherwise;
    if (found === undefined) throw new Error(`A case lacks its argument ${name}.`);
    return found;
  };
  return {
    number: (name, otherwise) => value(name, otherwise) as number,
    word: (name, otherwise) => value(name, otherwise) as string,
    byName: (name) => {
      const values = given[name] as readonly number[] | undefined;
      return values && Object.fromEntries(values.map((own, k) => [String(k), own]));
    },
  };
}

/** The names of a peer's methods in a table of a page: what stands in code in the first column, up to its arguments. */
export function methodsIn(page: string, heading: string): string[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8');
  const section = text.slice(text.indexOf(`## ${heading}`));
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(1).flatMap((row) => {
    const cells = row.split('|').map((cell) => cell.trim());
    if (cells[2] === 'not here') return [];
    // Options stand in brackets behind a name.
    const names = cells[1]!.replaceAll(/ \([^)]*\)/g, '');
    return [...names.matchAll(/`(scalarization\.)?([A-Z]\w*)/g)].map(
      ([, prefix, name]) => `${prefix ?? ''}${name!}`,
    );
  });
}

/** Expects every number that a peer's random method found at its first step to be found here for some of 60 seeds. */
export function expectSomeSeedFinds(
  peer: PeerCase,
  strategy: (seed: number) => GradientStrategy,
): void {
  const seeds = Array.from({ length: 60 }, (_, seed) => updatesOf(strategy(seed), peer)[0]!);
  peer.found[0]!.update!.forEach((value, c) => {
    expect(seeds.some((update) => Math.abs(update[c]! - value) < 1e-9)).toBe(true);
  });
}
