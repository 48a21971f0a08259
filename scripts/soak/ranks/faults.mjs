// Faults at random moments of a job of several ranks: each ends within its deadline with a message that names the right rank, or
// the job goes on; resumed, it ends with the weights of a job without a fault.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers';
import { randomState, resumeRandom } from '../../../packages/core/dist/strategy.js';
import { tryCases } from '../cases.mjs';
import { newFolder } from '../scratch.mjs';
import { connect, cut, disconnect, refusal } from './hosts.mjs';
import { pidsIn, runJob } from './job.mjs';

export const kinds = ['kill', 'stop', 'link', 'throw', 'exit', 'mismatch'];
/** Seconds without a sign of life, and for a rank that is alive but does not come. */
const times = { silence: 5, patience: 12 };
/** Seconds from a fault to the end of the job: the longer of the two, and twice the time that the launcher gives ranks to end. */
const deadline = times.patience + 2 * 5 + 3;
const usual = { steps: 24, everySteps: 2 };

/** What is done to a job, drawn by the number of the case. */
export function faultOf(communicator, index, seed) {
  const random = resumeRandom(randomState(seed, 'rank faults', communicator, String(index)));
  const kind = kinds[index % kinds.length];
  const ranks = kind === 'link' ? 2 : 3;
  return {
    ...{ kind, ranks, rank: random.integer(ranks), step: 1 + random.integer(usual.steps - 2) },
    ...{ delay: random.uniform() * 20, sharded: random.uniform() < 0.5 },
  };
}

/** The texts one of which a job ends with; each names the rank, or what it did. */
function expected(communicator, { kind, rank, ranks }) {
  const others = Array.from({ length: ranks }, (_, other) => other).filter((one) => one !== rank);
  const silent = (one) => new RegExp(`[Rr]ank ${one} gave no sign of life`);
  const ended = [
    new RegExp(`Rank ${rank} has (ended|left)`),
    // mpirun counts processes by their rank.
    ...(communicator === 'mpi'
      ? [
          new RegExp(`process rank ${rank} with PID \\d+.*exited on signal`, 's'),
          new RegExp(`process rank ${rank} with PID \\d+.*exiting (improperly|without)`, 's'),
          new RegExp(`Process name: \\[\\[\\d+,\\d+\\],${rank}\\]`),
        ]
      : []),
  ];
  return {
    kill: ended,
    exit: ended,
    throw: [new RegExp(`rank ${rank} is out of luck`)],
    stop: [silent(rank)],
    // Each side of the cable sees the other one fall silent.
    link: Array.from({ length: ranks }, (_, one) => silent(one)),
    mismatch: others.map(
      (other) =>
        new RegExp(`barrier on rank ${rank}(, .* on rank ${other})?|, barrier on rank ${rank}`),
    ),
  }[kind];
}

/** Runs one case. @returns its record */
async function tryFault(communicator, index, seed, reference) {
  const fault = faultOf(communicator, index, seed);
  const scratch = newFolder('rank-faults');
  const hosts = fault.kind === 'link';
  const within = ['throw', 'exit', 'mismatch'].includes(fault.kind);
  const plan = {
    ...{ ...usual, ...times, folder: join(scratch, 'checkpoints'), sharded: fault.sharded },
    fault: within ? { kind: fault.kind, rank: fault.rank, step: fault.step } : null,
  };
  const job = { communicator, ranks: fault.ranks, hosts, scratch, plan };
  let at = null;
  let output = '';
  const strike = () => {
    at = performance.now();
    if (fault.kind === 'link') cut();
    else {
      const pid = pidsIn(output)[fault.rank];
      try {
        process.kill(pid, fault.kind === 'kill' ? 'SIGKILL' : 'SIGSTOP');
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    }
  };
  try {
    if (hosts) connect();
    const alone = hosts && communicator === 'mpi';
    const end = await runJob({ ...job, alone, limit: 120 + deadline }, (line) => {
      output += `${line}\n`;
      if (at !== null) return;
      if (within && line.includes(`fault ${fault.kind}`)) at = performance.now();
      if (!within && line === `step ${fault.step}`) setTimeout(strike, fault.delay);
    });
    const took = at === null ? null : (end.ended - at) / 1000;
    const told = `${end.errors}\n${end.output}`;
    const fail = (why) => {
      throw new Error(`${communicator}, ${JSON.stringify(fault)}: ${why}\n${told.slice(-4000)}`);
    };
    const whole = end.exitCode === 0 && end.output.includes(`digest ${reference(hosts)}`);
    if (at === null) fail('the moment never came');
    if (end.exitCode === null) fail('it did not end by itself');
    if (end.left > 0) fail(`${end.left} ranks were left`);
    if (!whole) {
      if (end.exitCode === 0) fail('exit code 0 with other weights');
      if (took > deadline) fail(`it took ${took.toFixed(1)} s`);
      if (!expected(communicator, fault).some((pattern) => pattern.test(told))) fail('no name');
    }
    if (hosts) connect();
    const again = await runJob({ ...job, plan: { ...plan, fault: null }, limit: 300 });
    if (again.exitCode !== 0) fail(`it did not go on: ${again.errors}`);
    if (!again.output.includes(`digest ${reference(hosts)}`)) {
      fail(`other weights: ${again.output.slice(-400)}`);
    }
    const from = Number(/begins at step (\d+)/.exec(again.output)[1]);
    return {
      ...{ communicator, index, seed, ...fault, delay: Number(fault.delay.toFixed(1)) },
      ...{ took: Number(took.toFixed(2)), exitCode: end.exitCode, wentOn: whole, from, same: true },
    };
  } finally {
    if (hosts) disconnect();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The digest of a job without a fault. */
async function undisturbed(communicator, hosts) {
  const scratch = newFolder('rank-faults');
  try {
    if (hosts) connect();
    const plan = { ...usual, ...times, folder: join(scratch, 'checkpoints'), fault: null };
    const ranks = hosts ? 2 : 3;
    const end = await runJob({ communicator, ranks, hosts, scratch, plan, limit: 300 });
    const [, digest] = /digest ([\da-f]{64})/.exec(end.output) ?? [];
    if (end.exitCode !== 0 || digest === undefined) throw new Error(end.errors);
    return digest;
  } finally {
    if (hosts) disconnect();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Tries the cases `from` to `from + count - 1`, and keeps a record of each that holds: those that there are already are not
 * tried again.
 *
 * @param communicator - `tcp` or `mpi`
 * @param records - file of the records, one JSON object a line
 * @param only - one kind of fault
 */
export async function rankFaults({ communicator, seed = 1, records, only, ...range }) {
  const kept = existsSync(records)
    ? readFileSync(records, 'utf8')
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];
  const done = new Set(
    kept
      .filter((one) => one.communicator === communicator && one.seed === seed)
      .map(({ index }) => index),
  );
  mkdirSync(dirname(records), { recursive: true });
  const noHosts = refusal();
  const digests = { here: await undisturbed(communicator, false), hosts: null };
  if (noHosts === null) digests.hosts = await undisturbed(communicator, true);
  const reference = (hosts) => (hosts ? digests.hosts : digests.here);
  const skipped = [];
  const found = await tryCases('rank faults', range, async (index) => {
    if (done.has(index)) return;
    const { kind } = faultOf(communicator, index, seed);
    if (only !== undefined && kind !== only) return;
    if (kind === 'link' && noHosts !== null) {
      skipped.push(index);
      return;
    }
    const record = await tryFault(communicator, index, seed, reference);
    appendFileSync(records, `${JSON.stringify(record)}\n`);
    kept.push(record);
    console.log(JSON.stringify(record));
  });
  const own = kept.filter((one) => one.communicator === communicator && one.seed === seed);
  return { ...found, records: own, skipped: skipped.length, noHosts };
}
