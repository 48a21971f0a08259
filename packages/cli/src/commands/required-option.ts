import type { Command } from 'commander';

/**
 * Adds an option that must be given. Unknown options are reported before a missing one, because they are often the same
 * option misspelt.
 */
export function addRequiredOption(command: Command, flags: string, description: string): Command {
  const option = command.createOption(flags, description);
  return command.addOption(option).hook('preAction', () => {
    if (command.getOptionValue(option.attributeName()) !== undefined) return;
    command.error(`error: required option '${flags}' not specified`, {
      code: 'commander.missingMandatoryOptionValue',
    });
  });
}
