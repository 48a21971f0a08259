import { Command } from 'commander';
import type { CommandContext } from './command.ts';

/** `multigrad doctor`: shows and tests the backends that are there. */
export function doctorCommand({ environment, done }: CommandContext): Command {
  return new Command('doctor')
    .description('Show the backends that are there, test them, and say how to get a faster one.')
    .option('--json', 'For programs.', false)
    .action(async ({ json }: { readonly json: boolean }) => {
      const { doctor } = await import('../backends/doctor.ts');
      done(await doctor(json, environment));
    });
}
