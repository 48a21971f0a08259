import { MultigradError } from '@multigrad/core/strategy';
import { assertParts, dealOut, dealOutGroups, type Part, positionsOf } from './split-positions.ts';
import type { TargetColumns } from './target-counts.ts';

/** How samples come to their parts; see the options of `dataSets`. */
export interface SplitOptions {
  readonly validation: number;
  readonly test: number;
  readonly seed: number;
  readonly parts: readonly (Part | null)[] | undefined;
  readonly keepTogether: readonly (string | number)[] | undefined;
  readonly stratify: string | null | undefined;
  readonly given: { readonly test?: number };
}

/**
 * The part of each sample.
 *
 * @throws MultigradError `invalid-option`, `invalid-data`
 */
export function assignParts(
  count: number,
  targets: TargetColumns,
  options: SplitOptions,
): (Part | null)[] {
  const { parts, keepTogether, seed, given } = options;
  const { validation, test } = parts === undefined ? options : { ...options, test: 0 };
  if (validation + test >= 1) {
    throw new MultigradError(
      'invalid-option',
      `Options \`validation\` and \`test\` of \`dataSets\` should leave samples to train on. Found ${validation} and ${test}.`,
    );
  }
  if (keepTogether !== undefined && keepTogether.length !== count) {
    throw new MultigradError(
      'invalid-data',
      `Option \`keepTogether\` of \`dataSets\` should have an entry for each of ${count} samples. Found ${keepTogether.length}.`,
    );
  }
  if (parts === undefined) {
    const all = Array.from({ length: count }, (_, sample) => sample);
    return deal(all, { validation, test }, seed, keepTogether, strataOf(targets, options));
  }
  if (given.test !== undefined) {
    throw new MultigradError(
      'invalid-option',
      `Option \`test\` of \`dataSets\` is the parts’ to say where \`parts\` are given. Found ${test}.`,
    );
  }
  assertParts(parts, count);
  if (validation === 0 || parts.includes('validation')) return [...parts];
  const trained = [...positionsOf(parts, 'train')];
  const dealt = deal(
    trained,
    { validation, test: 0 },
    seed,
    keepTogether,
    strataOf(targets, options),
  );
  const chosen = [...parts];
  trained.forEach((sample, at) => (chosen[sample] = dealt[at]!));
  return chosen;
}

/** Deals out some samples: whole groups where there are groups, else by strata. */
function deal(
  samples: readonly number[],
  shares: { readonly validation: number; readonly test: number },
  seed: number,
  groups: readonly (string | number)[] | undefined,
  strata: Int32Array | null,
): Part[] {
  if (groups === undefined) {
    const own = strata === null ? null : samples.map((sample) => strata[sample]!);
    return dealOut(samples.length, shares, seed, own);
  }
  return dealOutGroups(
    samples.map((sample) => groups[sample]!),
    shares,
    seed,
  );
}

function strataOf(
  targets: TargetColumns,
  { stratify, keepTogether }: Pick<SplitOptions, 'stratify' | 'keepTogether'>,
): Int32Array | null {
  const classes = Object.entries(targets).flatMap(([name, column]) =>
    column.kind === 'classes' ? [{ name, labels: column.labels }] : [],
  );
  if (stratify === null || (stratify === undefined && classes.length === 0)) return null;
  const chosen =
    stratify === undefined ? classes[0] : classes.find(({ name }) => name === stratify);
  if (chosen === undefined || (stratify !== undefined && keepTogether !== undefined)) {
    throw new MultigradError(
      'invalid-option',
      'Option `stratify` of `dataSets` should name a target of classes, without `keepTogether`. ' +
        `Found \`${stratify}\` beside targets of classes ${classes.map(({ name }) => name).join(', ') || '(none)'}` +
        `${keepTogether === undefined ? '' : ' and `keepTogether`'}.`,
    );
  }
  return chosen.labels;
}
