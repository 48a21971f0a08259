import { MultigradError } from '@multigrad/core/strategy';
import { Option } from 'commander';
import { describedExperiment } from '../experiments/described.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { outsideSpecifiers } from '../strategies/catalog.ts';

/** The option with which a user lets code run that a folder names. */
export function trustOption(): Option {
  return new Option(
    '--trust',
    'Run the code of experiments and strategies that the folder names by file or package. Needed where it names any.',
  ).default(false);
}

/**
 * Checks that a folder names no code of others, or that the user trusts it: the folder may come from somebody else.
 *
 * @param given - the folder, as the user wrote it
 * @throws MultigradError `invalid-option` naming the code
 */
export function assertTrust(given: string, config: ComparisonConfig, trust: boolean): void {
  const { objectives = [], baseline = null } = describedExperiment(config) ?? {};
  const outside = [
    ...(config.module === undefined ? [] : [config.module.specifier]),
    ...outsideSpecifiers({ objectives, baseline }, config.strategies),
  ];
  if (outside.length === 0 || trust) return;
  throw new MultigradError(
    'invalid-option',
    `${given} names code that is no part of multigrad, and would be run: ${outside.map((one) => JSON.stringify(one)).join(', ')}. ` +
      'Where the folder is yours, or you have read that code, add --trust.',
  );
}
