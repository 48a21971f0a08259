// Logs to a real MLflow server by a training that was cut off and went on; Python's mlflow must read what was meant.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { mlflow } from '../../packages/callbacks/dist/index.js';

const [python] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'multigrad-mlflow-'));

const port = await new Promise((resolve) => {
  const probe = createServer();
  probe.listen(0, '127.0.0.1', () => {
    const { port: free } = probe.address();
    probe.close(() => resolve(free));
  });
});
const server = `http://127.0.0.1:${port}`;
const store = `sqlite:///${join(folder, 'mlflow.db')}`;
const child = spawn(
  python,
  [
    ...['-m', 'mlflow', 'server', '--backend-store-uri', store, '--workers', '1'],
    ...['--default-artifact-root', join(folder, 'artifacts')],
    ...['--host', '127.0.0.1', '--port', String(port)],
  ],
  {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    // Its queue of jobs needs further packages and serves nothing here.
    env: { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' },
  },
);
let complaints = '';
child.stderr.on('data', (data) => (complaints += String(data)));

/** Waits for the server, two minutes at most. */
async function untilReady() {
  for (let second = 0; second < 120 && child.exitCode === null; second += 1) {
    try {
      if ((await fetch(`${server}/health`)).ok) return;
    } catch {
      // It is not listening yet.
    }
    await wait(1000);
  }
  throw new Error(`The MLflow server does not answer.\n${complaints}`);
}

function reportOf(step) {
  const group = {
    key: 'encoder/near+far',
    objectives: ['near', 'far'],
    norms: [1, step + 1],
    cosines: [
      [1, -1 + step / 8],
      [-1 + step / 8, 1],
    ],
    weights: [0.25, 0.75],
    conflict: step < 8,
  };
  const losses = { near: 1 / (step + 1), far: step === 5 ? NaN : 2 };
  return { step, losses, metrics: {}, groups: [group], backwardPasses: 2, observed: false };
}

const logger = () =>
  mlflow({
    ...{ server, experiment: 'check formats', run: 'sum, seed 0', every: 1 },
    params: { strategy: 'sum', lr: 0.01 },
    tags: { purpose: 'a check' },
  });

/** Steps `from` to before `to`, in epochs of four. Returns the callback's state before the step `kept`. */
async function train(from, to, kept, state) {
  const log = logger();
  if (state !== undefined) log.restore(state);
  await log.onTrainBegin({ step: from, epoch: Math.floor(from / 4), batch: from % 4 });
  let snapshot;
  for (let step = from; step < to; step += 1) {
    if (step === kept) snapshot = log.snapshot();
    await log.onBatchEnd(step % 4, reportOf(step));
    if (step % 4 === 3) await log.onEpochEnd(Math.floor(step / 4), { loss: step });
  }
  if (to === 16) await log.onTrainEnd({});
  return snapshot;
}

try {
  await untilReady();
  const state = await train(0, 14, 8);
  await train(8, 16, -1, JSON.parse(JSON.stringify(state)));
  execFileSync(python, [join(import.meta.dirname, 'mlflow_peer.py'), server], { stdio: 'inherit' });
} finally {
  // The server has processes of its own, which belong to its group.
  if (child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
