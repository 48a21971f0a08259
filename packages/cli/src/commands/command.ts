import type { Command } from 'commander';
import type { OutsideExperiment } from '../experiments/load-experiment.ts';
import type { Environment } from '../shared/environment.ts';
import type { Ranks } from '../training/ranks/ranks.ts';

/** What a command needs to act and to report its exit code. */
export interface CommandContext {
  readonly environment: Environment;
  /** The processes that run this command together; one by itself, unless MPI started several. */
  readonly ranks: Ranks;
  /** The experiment that the arguments name, where it does not come with the program; else null. */
  readonly outside: OutsideExperiment | null;
  /** Takes the exit code of the command that ran. */
  readonly done: (exitCode: number) => void;
}

/** Makes one command of the program: its options and what it does. Its name and summary stand in `index.ts`. */
export type MakeCommand = (context: CommandContext) => Command;

/** The options that the user wrote, by commander's attribute name. */
export type Written = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
