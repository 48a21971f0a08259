import process from 'node:process';
import { launcherOf } from '@multigrad/distributed/node';
import type { Interruption } from './interruption.ts';
import { type Times, wasStopped } from './stops.ts';

/** Listens for all by which a person, a terminal, npm or a launcher ends this process. */
export function listenForInterruption(interruption: Interruption): void {
  process.on('SIGINT', () => interruption.ctrlC());
  process.on('SIGTERM', () => interruption.end('SIGTERM'));
  process.on('SIGHUP', () => interruption.end('the terminal was closed (SIGHUP)'));
  if (launcherOf(process.env) === 'mpi') listenForMpirun(interruption);
  if (process.env['npm_lifecycle_event'] !== undefined) listenForNpm(interruption);
}

/**
 * `mpirun` ends a job by SIGCONT, a second later SIGTERM, then SIGKILL. Where it has started `npx`, SIGKILL comes some
 * milliseconds after SIGTERM: the shell that npm runs the program in dies of SIGTERM, npm with it, and this death cuts
 * the wait of `mpirun` short. SIGCONT is then all the notice that there is.
 *
 * One that ends a stop (a batch system suspends jobs by SIGSTOP and resumes them by SIGCONT) is no notice.
 */
function listenForMpirun(interruption: Interruption): void {
  let last = timesNow();
  setInterval(() => {
    last = timesNow();
  }, 250).unref();
  process.on('SIGCONT', () => {
    if (!wasStopped(last, timesNow())) interruption.end('mpirun ends the job (SIGCONT)');
  });
}

function timesNow(): Times {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now(), computing: (user + system) / 1000 };
}

/**
 * npm passes SIGTERM on to the shell in which it runs the program; a shell such as Debian's dies of it and tells the program
 * nothing. The program then has another parent.
 */
function listenForNpm(interruption: Interruption): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    interruption.end('npm, which started it, has ended');
  }, 250).unref();
}
