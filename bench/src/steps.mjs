// One optimizer step of each workload, case by case and backend by backend in turn, beside PyTorch.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quantile, ratio } from './interleave.mjs';
import { machine } from './machine.mjs';
import { startLineProcess } from './processes/line-process.mjs';
import { skipped, startPeer } from './processes/python.mjs';
import { stepTable } from './step-table.mjs';
import { workloads } from './workloads/index.mjs';

const worker = fileURLToPath(new URL('./step-worker.mjs', import.meta.url));
const peerName = 'pytorch';
/** What runners of the other checkout are called. */
const other = (backend) => `${backend}, other checkout`;

/** PyTorch's ways to take the same step: ratios are to the fastest of them. */
const rivals = {
  sum: ['sum', 'sum, compiled'],
  official: ['mmpareto, official loop'],
  byHand: ['mmpareto, by hand', 'mmpareto, by hand, compiled'],
};

/**
 * @param {{ backends: string[], names: string[], width: number, batch?: number, rounds: number, warmup: number,
 *   python: string, against?: string, cases?: string[], threads?: number, compile?: boolean }} options `against`: the root
 *   of another checkout that has been built, whose steps are timed too; `cases`: the steps that are timed, all if left out;
 *   `threads`: of every process, as many as there are processors if left out; `compile`: whether PyTorch's steps are timed
 *   through `torch.compile` too
 * @returns what was measured, ready to be written
 */
export async function benchSteps({
  backends,
  names,
  width,
  batch,
  rounds,
  warmup,
  python,
  against,
  cases,
  threads,
  compile = false,
}) {
  const results = [];
  for (const name of names) {
    const batchSize = batch ?? workloads[name].batchSize;
    const parameters = [name, batchSize, width].map(String);
    const own = [...parameters, String(threads ?? 'auto')];
    const runners = new Map();
    for (const backend of backends) {
      const runner = await startLineProcess(process.execPath, [worker, backend, ...own]);
      if (runner.missing !== undefined) {
        throw new Error(`Backend ${backend} did not start: ${runner.missing}`);
      }
      runners.set(runner.greeting.backend, runner);
      if (against === undefined) continue;
      const theirs = resolve(against, 'bench/src/step-worker.mjs');
      const rival = await startLineProcess(process.execPath, [theirs, backend, ...own]);
      if (rival.missing !== undefined) throw new Error(`${theirs} did not start: ${rival.missing}`);
      runners.set(other(runner.greeting.backend), rival);
    }
    const peer = await startPeer(python, 'steps.py', [...own, compile ? 'compile' : 'eager']);
    if (peer.missing === undefined) {
      runners.set(peerName, peer);
      if (peer.greeting.uncompiled !== undefined) {
        console.log(`torch.compile skipped: ${peer.greeting.uncompiled}`);
      }
    } else console.log(skipped('PyTorch', python, peer.missing));
    const result = { workload: name, batchSize, width, rounds, rows: [] };
    for (const row of await measure(runners, { warmup, rounds, wanted: cases }))
      result.rows.push(row);
    for (const runner of runners.values()) runner.close();
    console.log(stepTable(result));
    results.push(result);
  }
  return { machine: machine(), results };
}

/** Every case of every runner once a round, in turn. */
async function measure(runners, { warmup, rounds, wanted }) {
  const cases = [...runners].flatMap(([runner, { greeting }]) =>
    greeting.cases
      .filter((label) => wanted === undefined || wanted.includes(label.replaceAll(',', '')))
      .map((label) => ({ runner, label, times: [] })),
  );
  for (let round = -warmup; round < rounds; round += 1) {
    for (const { runner, label, times } of cases) {
      const { milliseconds, error } = await runners.get(runner).ask({ case: label });
      if (error !== undefined) throw new Error(`${runner}, ${label}: ${error}`);
      if (round >= 0) times.push(milliseconds);
    }
  }
  const timesOf = (runner, label) =>
    cases.find((one) => one.runner === runner && one.label === label)?.times;
  const fastest = (labels) => {
    const found = labels.map((label) => timesOf(peerName, label)).filter((times) => times);
    return found.sort((a, b) => quantile(a, 0.5) - quantile(b, 0.5))[0];
  };
  const rows = [];
  for (const { runner, label, times } of cases) {
    const against = (rival) => (rival === undefined ? undefined : ratio(times, rival));
    const peak =
      runner === peerName
        ? undefined
        : (await runners.get(runner).ask({ case: label, peak: true })).megabytes;
    rows.push({
      runner,
      case: label,
      milliseconds: [0.25, 0.5, 0.75].map((q) => quantile(times, q)),
      ofOwnSum: against(timesOf(runner, 'sum')),
      ofPeerSum: against(fastest(rivals.sum)),
      ofPeerOfficial: against(fastest(rivals.official)),
      ofPeerByHand: against(fastest(rivals.byHand)),
      ofOther: against(timesOf(other(runner), label)),
      peakTensorMegabytes: peak,
    });
  }
  for (const [runner, process] of runners) {
    const { megabytes } = await process.ask({ memory: true });
    rows.push({ runner, residentMegabytes: megabytes });
  }
  return rows;
}
