import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { launch } from '@multigrad/distributed/node';
import { MultigradError } from '@multigrad/core/strategy';
import { Command } from 'commander';
import type { CommandContext } from './command.ts';
import { wholeNumber } from './whole-number.ts';

const examples = `
Examples:
  multigrad launch -n 4 train cg-mnist --strategy mmpareto --out runs/by-four
      this program's own train, by four processes of this machine
  multigrad launch -n 4 node train.mjs
      a program of yours, which takes its place with openRanks() of @multigrad/distributed/node
  multigrad launch -n 4 --hosts first,second --address head node train.mjs
      on two hosts, started by ssh in the folder of the same name; head is how they reach this one

The exit code is 0 where every rank ends with 0, else that of the first one that failed.`;

/** Commands of this program that several ranks run together. */
const ownCommands: readonly string[] = ['train', 'resume'];

/** This program, as a rank starts it. */
const ownProgram: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../bin/multigrad.js', import.meta.url)),
];

interface Written {
  readonly ranks: string;
  readonly hosts?: string;
  readonly address?: string;
}

/** `multigrad launch`: starts several processes that train one network together. */
export function launchCommand({ environment, done }: CommandContext): Command {
  return new Command()
    .argument('<command...>', '`train` or `resume` of this program, or a program of yours.')
    .requiredOption('-n, --ranks <number>', 'Number of processes.')
    .option('--hosts <names>', 'Hosts, as in first,second: each gets ranks in turn, by ssh.')
    .option('--address <name>', 'How the hosts reach this one.')
    .passThroughOptions()
    .addHelpText('after', examples)
    .action(async (command: readonly string[], { ranks, hosts, address }: Written) => {
      const own = ownCommands.includes(command[0]!);
      const exitCode = await launch({
        ranks: wholeNumber('launch', 'ranks', ranks, 1),
        command: own ? [...ownProgram, ...command] : command,
        folder: environment.folder,
        ...(hosts === undefined ? {} : { hosts: hostsOf(hosts) }),
        ...(address === undefined ? {} : { address }),
        signal: environment.signal,
        print: (line, stream) => {
          if (stream === 'output') environment.print(line);
          else environment.complain(line);
        },
      });
      done(exitCode);
    });
}

/** @throws MultigradError `invalid-option` */
function hostsOf(text: string): string[] {
  const hosts = text.split(',').map((host) => host.trim());
  if (hosts.every((host) => /^[A-Za-z0-9][\w.@:-]*$/.test(host))) return hosts;
  throw new MultigradError(
    'invalid-option',
    `Option \`hosts\` of \`launch\` should be names of hosts, as in first,second. Found ${JSON.stringify(text)}.`,
  );
}
