import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, it } from 'vitest';
import { mpirun, root } from './mpirun.ts';
import { jsonLines } from './processes.ts';

// Two hosts are two network namespaces with a cable between them: what ranks tell each other crosses its ends.

const spaces = ['multigrad-a', 'multigrad-b'] as const;
const addresses = ['10.77.0.1', '10.77.0.2'] as const;
const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' });

/** Whether this process may make namespaces; why not, where it may not. */
function refusal(): string | null {
  if (process.platform !== 'linux') return 'there are no network namespaces here';
  const { status, stderr, error } = spawnSync('ip', ['netns', 'add', 'multigrad-probe'], {
    encoding: 'utf8',
  });
  if (error !== undefined) return error.message;
  if (status !== 0) return stderr.trim();
  ip('netns', 'delete', 'multigrad-probe');
  return null;
}

function connect(): void {
  ip('link', 'add', 'multigrad-va', 'type', 'veth', 'peer', 'name', 'multigrad-vb');
  for (const [index, space] of spaces.entries()) {
    const end = `multigrad-v${'ab'[index]!}`;
    ip('netns', 'add', space);
    ip('link', 'set', end, 'netns', space);
    ip('-n', space, 'address', 'add', `${addresses[index]!}/24`, 'dev', end);
    ip('-n', space, 'link', 'set', end, 'up');
    ip('-n', space, 'link', 'set', 'lo', 'up');
  }
}

/** Names of hosts as Debian's installer writes them: on each host its own name is an address that no other host reaches. */
function name(): void {
  for (const [own, space] of spaces.entries()) {
    const names = addresses.map((address, host) =>
      [host === own ? '127.0.1.1' : address, `node0${host + 1}`].join(' '),
    );
    mkdirSync(`/etc/netns/${space}`, { recursive: true });
    writeFileSync(`/etc/netns/${space}/hosts`, ['127.0.0.1 localhost', ...names, ''].join('\n'));
  }
}

function disconnect(): void {
  for (const space of spaces) {
    spawnSync('ip', ['netns', 'delete', space]);
    rmSync(`/etc/netns/${space}`, { recursive: true, force: true });
  }
}

/** Bytes that left a namespace through the cable. */
function sent(index: 0 | 1): number {
  const end = `multigrad-v${'ab'[index]}`;
  const text = ip('-n', spaces[index], '-json', '-statistics', 'link', 'show', 'dev', end);
  const [link] = JSON.parse(text) as { stats64: { tx: { bytes: number } } }[];
  return link!.stats64.tx.bytes;
}

const why = refusal();
if (why !== null) console.log(`Two hosts were not tried: ${why}.`);

it.skipIf(why !== null)('ranks on two hosts train as one process does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-hosts-'));
  disconnect();
  try {
    connect();
    // What ssh is elsewhere: it starts a command on the host that it is told.
    const agent = join(folder, 'agent');
    writeFileSync(
      agent,
      `#!/bin/sh\nhost=$1; shift\ncase $host in ${addresses[1]}) space=${spaces[1]};; *) space=${spaces[0]};; esac\n` +
        `exec ip netns exec $space sh -c "$*"\n`,
    );
    chmodSync(agent, 0o755);
    const program = join(root, 'tests/mpi/programs/agreement.mjs');
    const network = ['btl_tcp_if_include', 'oob_tcp_if_include'].flatMap((name) => [
      '--mca',
      name,
      '10.77.0.0/24',
    ]);
    const options = [
      ...['--host', `${addresses[0]}:1,${addresses[1]}:1`],
      ...['--mca', 'plm_rsh_agent', agent, '--mca', 'btl', 'tcp,self', ...network],
    ];
    const before = sent(0) + sent(1);
    const { exitCode, output, errors } = await mpirun(
      [...options, '-n', '2', 'node', program, 'ranks', '10'],
      root,
      ['ip', 'netns', 'exec', spaces[0]],
    );
    expect(exitCode, errors).toBe(0);
    const crossed = sent(0) + sent(1) - before;
    const [alone, reversed] = (['plain', 'reversed'] as const).map(
      (mode) =>
        jsonLines(
          execFileSync(process.execPath, [program, mode, '10'], {
            encoding: 'utf8',
            maxBuffer: 2 ** 28,
          }),
        ) as Outcome[],
    );
    const together = jsonLines(output) as Outcome[];
    let payload = 0;
    together.forEach(({ strategy, ranks, weights, bytes }, index) => {
      expect(ranks).toBe(2);
      const noise = distance(alone![index]!.weights, reversed![index]!.weights);
      expect(distance(alone![index]!.weights, weights), strategy).toBeLessThan(
        Math.max(1e-5, 10 * noise),
      );
      payload += bytes.reduceScatter + bytes.allGather;
    });
    console.log(
      `two hosts (${hostname()} twice): ${crossed} bytes crossed the cable for ${payload} bytes of gradients and weights`,
    );
    // Of each vector a rank sends the half that is the other's.
    expect(crossed).toBeGreaterThan(payload);
  } finally {
    disconnect();
    rmSync(folder, { recursive: true });
  }
});

it.skipIf(why !== null)(
  'ranks over TCP, placed as SLURM does, end by themselves where the cable between two hosts is cut',
  async () => {
    const program = join(root, 'tests/ranks/programs/faults.mjs');
    disconnect();
    try {
      name();
      connect();
      const ranks = spaces.map((space, rank) => {
        const child = spawn(
          'ip',
          ['netns', 'exec', space, process.execPath, program, 'endless', '1', '2'],
          {
            stdio: ['ignore', 'pipe', 'pipe'],
            env: {
              ...process.env,
              SLURM_PROCID: String(rank),
              SLURM_NTASKS: '2',
              SLURM_JOB_ID: '7',
              SLURM_STEP_ID: '0',
              SLURM_STEP_NODELIST: 'node[01-02]',
              MULTIGRAD_TOKEN: 'of this job',
            },
          },
        );
        let errors = '';
        child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
        return {
          atFault: new Promise((resolve) => child.stdout.once('data', resolve)),
          ended: new Promise<{ code: number | null; errors: string }>((resolve) => {
            child.on('close', (code) => resolve({ code, errors }));
          }),
        };
      });
      const ends = Promise.all(ranks.map(async ({ ended }) => ended));
      await Promise.race([ranks[1]!.atFault, ends]);
      ip('-n', spaces[0], 'link', 'set', 'multigrad-va', 'down');
      const [first, second] = await ends;
      for (const [rank, { code, errors }] of [first!, second!].entries()) {
        expect(code, errors).toBe(1);
        expect(errors).toMatch(
          new RegExp(
            `Rank ${1 - rank} gave no sign of life for 2 s, while rank ${rank} is at \`round`,
          ),
        );
      }
    } finally {
      disconnect();
    }
  },
);

interface Outcome {
  readonly strategy: string;
  readonly ranks: number;
  readonly weights: readonly number[];
  readonly bytes: { readonly reduceScatter: number; readonly allGather: number };
}

function distance(a: readonly number[], b: readonly number[]): number {
  const largest = Math.max(...a.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / largest;
}
