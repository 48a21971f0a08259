import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './mpirun.ts';
import { measuredIn } from './training.ts';

// The shell commands of docs/distributed.md and of the package's README are run as they are written there, in a folder
// that has nothing but packages. Sizes of a small run go behind them, since those of the pages take hours.

const pages = ['docs/distributed.md', 'packages/distributed/README.md'];

/** What to do with a command of the pages. */
type Plan =
  | { readonly notRun: string }
  | {
      /** How many ranks say that they train together, and over what. */
      readonly says: RegExp;
      /** What stands in for what is not here. */
      readonly standIns?: Readonly<Record<string, string>>;
      /** The folder that it is run in, where it is not one that has packages alone. */
      readonly folder?: string;
      /** Whether it trains by the command line, and takes sizes. */
      readonly sizes?: boolean;
      /** A command of the pages that comes before it in the same shell. */
      readonly behind?: string;
      /** Further words, which make it take less time. */
      readonly further?: string;
    };

const installs = { notRun: '`npm run rehearse` installs from a registry on this machine' };
const token = 'export MULTIGRAD_TOKEN=$(head -c 24 /dev/urandom | base64)';
const trains = (says: RegExp): Plan => ({ says, sizes: true });
const ownProgram = (ranks: number): Plan => ({
  says: new RegExp(`^(\\{"kernel":\\[.*\\]\\}\\s*){${ranks}}$`),
});

const plans: Readonly<Record<string, Plan>> = {
  'npm install -D @multigrad/cli': installs,
  'npx multigrad launch -n 4 train cg-mnist --strategy mmpareto --out runs/by-four': trains(
    /4 ranks train together, over TCP/,
  ),
  'apt-get install openmpi-bin': {
    notRun: 'it changes the machine; tests/mpi/run does it where `mpirun` is missing',
  },
  'mpirun -n 4 npx multigrad train cg-mnist --strategy mmpareto --out runs/by-four': trains(
    /4 ranks train together, over MPI/,
  ),
  'npm run soak -- ranks': { notRun: 'it is a test by itself, and takes hours' },
  'npm run bench -- ranks': {
    says: /\| ResNet-18 \| TCP \|.*\n\| ResNet-18 \| Open MPI \|/,
    further: '--workload resnet18 --rounds 1 --steps 1 --batch 2 --numbers 4096',
    folder: root,
  },
  'npx multigrad launch -n 4 --hosts first,second --address head train cg-mnist --strategy mgda --out runs/two-hosts':
    {
      says: /4 ranks train together, over TCP/,
      // There is one host, and no server for ssh: a program of that name starts the ranks here.
      standIns: { head: '127.0.0.1' },
      sizes: true,
    },
  "cat > hosts <<'END'\nfirst.example slots=1\nsecond.example slots=1\nEND": {
    says: /^$/,
    standIns: { 'first.example slots=1\nsecond.example slots=1': 'localhost slots=2' },
  },
  'mpirun --hostfile hosts -n 2 -x PATH npx multigrad train cg-mnist --strategy mgda --out runs/two-hosts':
    trains(/2 ranks train together, over MPI/),
  [token]: { notRun: 'it runs before `srun`' },
  // There is no SLURM here: a program of the name of `srun` starts two ranks, as SLURM and as Open MPI do.
  'srun npx multigrad train cg-mnist --strategy mgda --out runs/slurm': {
    says: /2 ranks train together, over TCP/,
    behind: token,
    sizes: true,
  },
  'srun --mpi=pmix npx multigrad train cg-mnist --strategy mgda --out runs/slurm': trains(
    /2 ranks train together, over MPI/,
  ),
  // Without a GPU the variable that chooses one has no effect.
  "mpirun -n 4 sh -c 'CUDA_VISIBLE_DEVICES=$OMPI_COMM_WORLD_LOCAL_RANK exec npx multigrad train cg-mnist --strategy mgda --out runs/gpus'":
    trains(/4 ranks train together, over MPI/),
  'npm install @multigrad/core @multigrad/distributed @multigrad/strategy-mgda @tensorflow/tfjs-core':
    installs,
  'npm install @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu': installs,
  'npx multigrad launch -n 4 node train.mjs': ownProgram(4),
  'mpirun -n 4 node train.mjs': ownProgram(4),
  'node train.mjs': ownProgram(1),
};

/** The commands of a page: those of blocks, and those that stand within sentences and run a program. */
function commandsOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
    // A text that a command reads belongs to it.
    [...block!.matchAll(/^(?:.*<<'(\w+)'\n[\s\S]*?^\1|.+)$/gm)].map(([line]) => line),
  );
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  const within = [
    ...prose.matchAll(
      /`((?:(?:npx )?multigrad launch|mpirun|node) [^`]*\.mjs[^`]*|npm run [^`]*)`/g,
    ),
  ].map(([, command]) => command!.replaceAll('\n', ' '));
  return [...blocks, ...within]
    .map((line) => line.replace(/^#.*$/, '').replace(/ +# .*$/, ''))
    .filter((line) => line !== '');
}

/** Sizes of a small run, of some epochs of 16 steps. */
const sizes = (epochs: number): string =>
  `--train-size 192 --validation-size 0 --test-size 64 --batch-size 12 --epochs ${epochs} --width 4 --backend wasm --observe 1`;

/** A command of a page with sizes. */
const sized = (command: string, epochs = 1, further = ''): string =>
  command.replace(/--out [\w/-]+/, `$& ${sizes(epochs)} ${further}`);

interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

const folder = mkdtempSync(join(tmpdir(), 'multigrad-page-'));

beforeAll(() => {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const readme = readFileSync(join(root, 'packages/distributed/README.md'), 'utf8');
  const [, program] = /```js\n(.*?)```/s.exec(readme)!;
  const last = 'console.log(JSON.stringify({ kernel: [...kernel.dataSync()] }));';
  writeFileSync(
    join(folder, 'train.mjs'),
    program!.replace('  await communicator.close();', `  ${last}\n$&`),
  );
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  // The command is the last of what ssh is given.
  writeFileSync(
    join(programs, 'ssh'),
    '#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"\n',
  );
  writeFileSync(
    join(programs, 'srun'),
    `#!/bin/sh
if [ "$1" = --mpi=pmix ]; then shift; exec mpirun -n 2 "$@"; fi
export SLURM_NTASKS=2 SLURM_JOB_ID=$$ SLURM_STEP_ID=0 SLURM_STEP_NODELIST=127.0.0.1
SLURM_PROCID=1 "$@" & other=$!
SLURM_PROCID=0 "$@" || exit
wait $other
`,
  );
  for (const name of ['ssh', 'srun']) chmodSync(join(programs, name), 0o755);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Starts a shell command in a group of its own, as a terminal does. */
function shell(
  command: string,
  cwd = folder,
): { readonly child: ChildProcess; readonly ended: Promise<Ended>; readonly seen: () => string } {
  const child = spawn('sh', ['-c', command], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter),
      NO_COLOR: '1',
      FORCE_COLOR: '0',
      // What the page says of root and of more ranks than cores.
      OMPI_ALLOW_RUN_AS_ROOT: '1',
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
      OMPI_MCA_rmaps_base_oversubscribe: '1',
    },
  });
  const texts = { output: '', errors: '' };
  child.stdout.on('data', (data: Buffer) => (texts.output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (texts.errors += data.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, ...texts }));
  });
  return { child, ended, seen: () => texts.output };
}

/** Runs a command until it has printed something, then does to it what Ctrl-C does in a terminal. */
async function interrupted(command: string, printed: RegExp): Promise<Ended> {
  const { child, ended, seen } = shell(command);
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      if (printed.test(seen())) resolve();
    };
    child.stdout!.on('data', look);
    void ended.then(({ output, errors }) => reject(new Error(`${output}${errors}`)));
  });
  process.kill(-child.pid!, 'SIGINT');
  return ended;
}

/** The step that a run says it goes on after. */
function goesOnAfter({ output }: Ended): number {
  return Number(/Going on after step (\d+)\./.exec(output)?.[1]);
}

it('every command of the pages has a plan, and every plan a command', () => {
  const commands = new Set(pages.flatMap(commandsOf));
  expect([...commands].sort()).toEqual(Object.keys(plans).sort());
});

describe('on the page, as it is written there', () => {
  for (const [command, plan] of Object.entries(plans)) {
    if ('notRun' in plan) continue;
    it(`\`${command}\` runs`, async () => {
      const { says, standIns = {}, folder: where = folder, sizes: takesSizes = false } = plan;
      const { behind, further } = plan;
      if (takesSizes) rmSync(join(folder, 'runs'), { recursive: true, force: true });
      const written = Object.entries(standIns).reduce(
        (text, [name, standIn]) => text.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), standIn),
        command,
      );
      const run = [
        ...(behind === undefined ? [] : [`${behind};`]),
        takesSizes ? sized(written) : written,
        ...(further === undefined ? [] : [further]),
      ].join(' ');
      const ended = await shell(run, where).ended;
      expect(ended.exitCode, ended.errors).toBe(0);
      expect(ended.output.replaceAll(/^\[\d+\] /gm, '')).toMatch(says);
      if (!takesSizes) return;
      const [, out] = /--out ([\w/-]+)/.exec(command)!;
      const found = measuredIn(join(folder, out!));
      expect(found).toMatchObject({ status: 'finished', communication: { steps: 16 } });
    });
  }
});

describe('checkpoints', () => {
  const byLauncher = 'npx multigrad launch -n 4 train cg-mnist --strategy mmpareto --out runs/kept';
  const byMpi = 'mpirun -n 2 npx multigrad train cg-mnist --strategy mmpareto --out runs/kept';
  const alone = 'npx multigrad train cg-mnist --strategy mmpareto --out runs/kept';
  const kept = (command: string): string => sized(command, 3, '--checkpoint 100');

  it('are gone on from with another number of ranks, over the other network, or none', async () => {
    rmSync(join(folder, 'runs'), { recursive: true, force: true });
    // A hundred steps are never reached: the only checkpoints are those of Ctrl-C.
    const first = await interrupted(kept(byLauncher), /epoch 1\/3/);
    expect(first.exitCode).not.toBe(0);
    expect(first.errors).toContain(
      'what was measured is kept, and the training up to its last step',
    );
    const copy = join(folder, 'runs/copy');
    cpSync(join(folder, 'runs/kept'), copy, { recursive: true });

    const others = await shell(kept(byMpi)).ended;
    expect(others.exitCode, others.errors).toBe(0);
    expect(goesOnAfter(others)).toBeGreaterThanOrEqual(16);
    const byOthers = measuredIn(join(folder, 'runs/kept'));
    expect([byOthers.status, byOthers.losses.length]).toEqual(['finished', 48]);

    const none = await shell(kept(alone).replace('runs/kept', 'runs/copy')).ended;
    expect(none.exitCode, none.errors).toBe(0);
    expect(goesOnAfter(none)).toBe(goesOnAfter(others));
    const byOne = measuredIn(copy);
    expect([byOne.status, byOne.losses.length]).toEqual(['finished', 48]);
  });
});
