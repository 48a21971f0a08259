import { own } from '../base/own.ts';
import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import type { StrategyProperties } from './properties.ts';

const isDenial = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as { not?: unknown }).not === 'string' &&
  (value as { not: string }).not.trim() !== '';
const isScope = (value: unknown): boolean =>
  value === true || value === 'independent' || isDenial(value);
const isDegree = (value: unknown): boolean => Number.isFinite(value) || isDenial(value);

const expected: Readonly<
  Record<keyof StrategyProperties, readonly [holds: (value: unknown) => boolean, expected: string]>
> = {
  nonConflicting: [isScope, "true, 'independent' or { not: reason }"],
  permutation: [isScope, "true, 'independent' or { not: reason }"],
  homogeneity: [isDegree, 'a degree or { not: reason }'],
  linearUnderRowScaling: [isScope, "true, 'independent' or { not: reason }"],
  single: [
    (value) => isDegree(value) || typeof value === 'function',
    'a factor, a function of the gradient or { not: reason }',
  ],
  stationary: [(value) => value === 'zero' || value === 'moves', "'zero' or 'moves'"],
};

/** @throws MultigradError `incompatible-strategy` for the first property whose value is not allowed */
export function assertProperties(owner: string, properties: unknown): void {
  const fields = (
    typeof properties === 'object' && properties !== null ? properties : {}
  ) as Readonly<Record<string, unknown>>;
  for (const [property, [holds, words]] of Object.entries(expected)) {
    const found = own(fields, property);
    if (holds(found)) continue;
    throw new MultigradError(
      'incompatible-strategy',
      `${owner}: \`properties.${property}\` should be ${words}. Found ${describeValue(found)}.`,
    );
  }
}
