import { Command } from 'commander';
import { doctor } from '../backends/doctor.ts';
import type { CommandContext } from './command.ts';

/** `multigrad doctor`: shows and tests the backends that are there. */
export function doctorCommand({ environment, done }: CommandContext): Command {
  return new Command()
    .option('--json', 'For programs.', false)
    .action(async ({ json }: { readonly json: boolean }) => {
      done(await doctor(json, environment));
    });
}
