import type { Command } from 'commander';

/**
 * Adds an option that has to be there. It is missed after unknown options are named, which are often the same option
 * misspelt.
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
