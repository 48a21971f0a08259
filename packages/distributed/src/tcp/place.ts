import { MultigradError, own } from '@multigrad/core/strategy';
import type { Address } from './frames.ts';

/** Where a process stands among the ranks of a job. */
export interface Place {
  /** Number of this rank, 0 to `size − 1`. */
  readonly rank: number;
  /** Number of ranks, an integer >= 1. */
  readonly size: number;
  /** Where the ranks meet to learn each other's addresses. */
  readonly meeting: Address;
  /** Who opens the meeting point. A launcher keeps it open, and ends the ranks with itself. */
  readonly opener: 'launcher' | 'rank 0';
  /** The job's secret: connections that do not know it are closed. */
  readonly token: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** The names of the variables by which a launcher tells a process its place. */
export const placeVariables = {
  rank: 'MULTIGRAD_RANK',
  size: 'MULTIGRAD_RANKS',
  meeting: 'MULTIGRAD_MEETING',
  token: 'MULTIGRAD_TOKEN',
} as const;

/** Whether `multigrad launch` started a process, or SLURM's `srun` without PMIx in a job that has set the secret. */
export function isLaunched(variables: Variables): boolean {
  return (
    variables[placeVariables.rank] !== undefined ||
    // A batch script itself has SLURM's variables too, but is no step.
    (isStep(variables['SLURM_STEP_ID']) && variables[placeVariables.token] !== undefined)
  );
}

/** Whether a number is that of a step: those from 4294967280 up are a batch script, a shell of `salloc` and the like. */
function isStep(number: string | undefined): boolean {
  return number !== undefined && Number(number) < 4_294_967_280;
}

/**
 * The place of a process, by the variables of `multigrad launch`, else by those of SLURM.
 *
 * Under SLURM rank 0 opens the meeting point: on the first host of the step, at a port made of the job's and the step's numbers,
 * or where `MULTIGRAD_MEETING` says. The secret is `MULTIGRAD_TOKEN`, which `sbatch` hands on to every rank.
 *
 * @throws MultigradError `invalid-argument` for variables that are missing or no numbers
 */
export function placeOf(variables: Variables): Place {
  if (variables[placeVariables.rank] !== undefined) {
    return {
      ...rankAndSize(variables, placeVariables.rank, placeVariables.size),
      meeting: addressOf(required(variables, placeVariables.meeting)),
      opener: 'launcher',
      token: required(variables, placeVariables.token),
    };
  }
  // SLURM_NTASKS may be that of the whole job, with `srun --preserve-env`.
  const size =
    variables['SLURM_STEP_NUM_TASKS'] === undefined ? 'SLURM_NTASKS' : 'SLURM_STEP_NUM_TASKS';
  const given = variables[placeVariables.meeting];
  return {
    ...rankAndSize(variables, 'SLURM_PROCID', size),
    meeting: given === undefined ? meetingOfStep(variables) : addressOf(given),
    opener: 'rank 0',
    token: required(variables, placeVariables.token),
  };
}

function meetingOfStep(variables: Variables): Address {
  const step = whole(variables, 'SLURM_JOB_ID') * 7 + whole(variables, 'SLURM_STEP_ID');
  return {
    host: firstHost(required(variables, 'SLURM_STEP_NODELIST')),
    port: 20_000 + (step % 40_000),
  };
}

/** `host:port`, with brackets around an address of IPv6. @throws MultigradError `invalid-argument` */
export function addressOf(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new MultigradError(
    'invalid-argument',
    `The address where ranks meet should be \`host:port\`. Found ${JSON.stringify(text)}.`,
  );
}

/** An address as {@link addressOf} reads it. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The first host of a list as SLURM writes it: `node[03-07,12],other` begins with `node03`, `r[1-2]n[0-9]` with `r1n0`. */
export function firstHost(list: string): string {
  const [first] = /^(?:[^,[]|\[[^\]]*\])*/.exec(list)!;
  return first.replaceAll(/\[([^\],-]*)[^\]]*\]/g, '$1');
}

function rankAndSize(
  variables: Variables,
  rankName: string,
  sizeName: string,
): { rank: number; size: number } {
  const rank = whole(variables, rankName);
  const size = whole(variables, sizeName);
  if (rank < size) return { rank, size };
  throw new MultigradError(
    'invalid-argument',
    `Variable \`${rankName}\` should be below \`${sizeName}\`. Found ${rank} and ${size}.`,
  );
}

function whole(variables: Variables, name: string): number {
  const text = required(variables, name);
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new MultigradError(
    'invalid-argument',
    `Environment variable \`${name}\` should be an integer >= 0. Found ${JSON.stringify(text)}.`,
  );
}

function required(variables: Variables, name: string): string {
  const text = own(variables, name);
  if (text !== undefined && text !== '') return text;
  throw new MultigradError(
    'invalid-argument',
    `Environment variable \`${name}\` should be set for every rank of a job. Found none: start ranks with \`multigrad launch\`, or with \`srun\` where the job sets \`${placeVariables.token}\`.`,
  );
}
