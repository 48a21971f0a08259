import type { Command } from 'commander';

/**
 * The hint for an option that was written without its experiment; null where no experiment has the option.
 *
 * @param flag - the option, as in `--epochs`
 */
export function missingExperiment(group: Command, flag: string): string | null {
  const owner = group.commands.find(({ options }) =>
    options.some((option) => option.long === flag),
  );
  if (owner === undefined) return null;
  return `An experiment comes first: multigrad ${group.name()} ${owner.name()} ${flag} …`;
}
