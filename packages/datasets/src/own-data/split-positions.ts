import { MultigradError, type Random, randomState, resumeRandom } from '@multigrad/core/strategy';

/** The parts of a data set: what trains, what models are selected by, what is measured in the end. */
export type Part = 'train' | 'validation' | 'test';

/** How samples are dealt out. */
export interface Shares {
  /** Share of all samples, 0 to 1. */
  readonly validation: number;
  /** Share of all samples, 0 to 1. */
  readonly test: number;
}

/**
 * Deals out samples to parts at random: a function of the seed and the order of the samples alone.
 *
 * With `strata` each part gets about its share of each stratum, and the first sample of a stratum trains. Numbers of
 * samples are the shares of all, rounded.
 *
 * @param units - number of samples
 * @param strata - a stratum's number for each sample; null deals without regard to anything
 */
export function dealOut(
  units: number,
  { validation, test }: Shares,
  seed: number,
  strata: ArrayLike<number> | null,
): Part[] {
  const random = resumeRandom(randomState(seed, 'split'));
  const order = stratified(random.permutation(units), strata);
  const tests = Math.round(units * test);
  const trained = units - tests - Math.round(units * validation);
  const parts = new Array<Part>(units);
  order.forEach((sample, rank) => {
    parts[sample] = rank < trained ? 'train' : rank < units - tests ? 'validation' : 'test';
  });
  return parts;
}

/** Orders samples so that each stretch has about the same share of each stratum. */
function stratified(shuffled: ArrayLike<number>, strata: ArrayLike<number> | null): number[] {
  const samples = Array.from(shuffled);
  if (strata === null) return samples;
  const sizes = new Map<number, number>();
  const within = samples.map((sample) => {
    const stratum = strata[sample]!;
    const place = sizes.get(stratum) ?? 0;
    sizes.set(stratum, place + 1);
    return { sample, stratum, place };
  });
  // The k-th of a stratum's n samples stands at k/n of the way; a stable sort leaves ties in their random order.
  return within
    .map(({ sample, stratum, place }) => ({ sample, at: place / sizes.get(stratum)! }))
    .sort((a, b) => a.at - b.at)
    .map(({ sample }) => sample);
}

/**
 * Deals out groups of samples that stay together, such as all records of a patient. Groups differ in size, so shares are
 * met as closely as whole groups allow.
 */
export function dealOutGroups(
  groups: readonly (string | number)[],
  { validation, test }: Shares,
  seed: number,
): Part[] {
  const sizes = new Map<string | number, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const random: Random = resumeRandom(randomState(seed, 'split groups'));
  const names = [...sizes.keys()];
  const partOf = new Map<string | number, Part>();
  const wanted = { test: groups.length * test, validation: groups.length * validation };
  for (const index of random.permutation(names.length)) {
    const group = names[index]!;
    const size = sizes.get(group)!;
    // A part takes a group while that brings it closer to its share.
    const part = (['test', 'validation'] as const).find((name) => wanted[name] >= size / 2);
    if (part !== undefined) wanted[part] -= size;
    partOf.set(group, part ?? 'train');
  }
  return groups.map((group) => partOf.get(group)!);
}

/** @throws MultigradError `invalid-data` for a part that should have samples and has none */
export function positionsOf(parts: readonly (Part | null)[], part: Part): Int32Array {
  return Int32Array.from(parts.flatMap((name, sample) => (name === part ? [sample] : [])));
}

/**
 * Checks given parts.
 *
 * @throws MultigradError `invalid-data` naming the sample
 */
export function assertParts(parts: readonly unknown[], count: number): void {
  if (parts.length !== count) {
    throw new MultigradError(
      'invalid-data',
      `Option \`parts\` of \`dataSets\` should have an entry for each of ${count} samples. Found ${parts.length}.`,
    );
  }
  parts.forEach((part, sample) => {
    if (part === null || part === 'train' || part === 'validation' || part === 'test') return;
    throw new MultigradError(
      'invalid-data',
      `Option \`parts\` of \`dataSets\` should have 'train', 'validation', 'test', or null to leave a sample out. ` +
        `Found ${JSON.stringify(part)} of sample ${sample}.`,
    );
  });
}
