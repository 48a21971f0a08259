import { spawn } from 'node:child_process';
import process from 'node:process';
import { root } from './launched.ts';

/** How one task of a step ended. */
export interface Task {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A step of SLURM. */
export interface Step {
  readonly tasks: number;
  /** Its hosts, as SLURM writes lists; all of them are this machine. */
  readonly nodes: string;
  readonly job?: number;
  readonly step?: number;
  /** Variables that the job has set, or those of `srun` that a case changes. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

/** What `srun` sets for a task, as its manual lists and as SLURM's own code sets it. */
function variablesOf(
  { tasks, nodes, job = 4711, step = 0 }: Step,
  task: number,
): Readonly<Record<string, string>> {
  const [id, number, count] = [String(job), String(step), String(tasks)];
  return {
    ...{ SLURM_JOB_ID: id, SLURM_JOBID: id, SLURM_JOB_NODELIST: nodes, SLURM_NODELIST: nodes },
    ...{ SLURM_JOB_NUM_NODES: count, SLURM_NNODES: count, SLURM_NTASKS: count },
    ...{ SLURM_NPROCS: count, SLURM_TASKS_PER_NODE: `1(x${count})` },
    ...{ SLURM_STEP_ID: number, SLURM_STEPID: number, SLURM_STEP_NODELIST: nodes },
    ...{ SLURM_STEP_NUM_NODES: count, SLURM_STEP_NUM_TASKS: count },
    ...{ SLURM_STEP_TASKS_PER_NODE: `1(x${count})`, SLURM_STEP_LAUNCHER_PORT: '40123' },
    ...{ SLURM_SRUN_COMM_HOST: '127.0.0.1', SLURM_SRUN_COMM_PORT: '40123' },
    ...{ SLURM_LAUNCH_NODE_IPADDR: '127.0.0.1', SLURM_CLUSTER_NAME: 'here' },
    ...{ SLURM_PROCID: String(task), SLURM_NODEID: String(task), SLURM_LOCALID: '0' },
    ...{ SLURM_GTIDS: String(task), SLURM_DISTRIBUTION: 'cyclic', SLURM_CPUS_ON_NODE: '1' },
  };
}

/** Stands in for `srun`: starts the tasks of a step with its variables, and waits for all of them. */
export async function srun(given: Step, command: readonly string[]): Promise<readonly Task[]> {
  const others = Object.entries(process.env).filter(
    ([name]) => !/^(SLURM|MULTIGRAD|OMPI|PMIX)_/.test(name),
  );
  return Promise.all(
    Array.from({ length: given.tasks }, async (_, task) => {
      const child = spawn(command[0]!, command.slice(1), {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...Object.fromEntries(others),
          ...{ NO_COLOR: '1', MULTIGRAD_TOKEN: 'of this job' },
          ...variablesOf(given, task),
          ...given.variables,
        },
      });
      const texts = { output: '', errors: '' };
      child.stdout.on('data', (data: Buffer) => (texts.output += data.toString()));
      child.stderr.on('data', (data: Buffer) => (texts.errors += data.toString()));
      return new Promise<Task>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (exitCode) => resolve({ exitCode, ...texts }));
      });
    }),
  );
}
