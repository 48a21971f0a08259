// One step with each sample of a batch as an objective: the Gramian without the Jacobian, beside the explicit way and TorchJD.
import { fileURLToPath } from 'node:url';
import { quantile, ratio } from './interleave.mjs';
import { startLineProcess } from './processes/line-process.mjs';
import { skipped, startPeer } from './processes/python.mjs';

const worker = fileURLToPath(new URL('./samples-worker.mjs', import.meta.url));

/**
 * Prints milliseconds per step and memory of each case, a process for each, one step of each in every round.
 *
 * @returns all figures
 */
export async function benchSamples({ backends, names, batch, rounds, warmup, python }) {
  const results = [];
  for (const workload of names) {
    const cases = new Map();
    for (const backend of backends) {
      for (const name of ['mean', 'per sample', 'explicit']) {
        const parameters = [worker, backend, workload, String(batch), name];
        cases.set(`${backend}, ${name}`, await startLineProcess(process.execPath, parameters));
      }
    }
    for (const name of ['mean', 'autogram']) {
      cases.set(
        `torch, ${name}`,
        await startPeer(python, 'samples.py', [workload, String(batch), name]),
      );
    }
    for (const [name, { missing }] of [...cases]) {
      if (missing === undefined) continue;
      console.log(
        name.startsWith('torch') ? skipped(name, python, missing) : `${name}: ${missing}`,
      );
      cases.delete(name);
    }
    const times = new Map([...cases.keys()].map((name) => [name, []]));
    for (let round = -warmup; round < rounds; round += 1) {
      for (const [name, process] of cases) {
        const { milliseconds, error } = await process.ask({});
        if (error !== undefined) throw new Error(`${name}: ${error}`);
        if (round >= 0) times.get(name).push(milliseconds);
      }
    }
    console.log(
      `${workload}, batch and K ${batch}, ${rounds} rounds; resident memory above that before the first step`,
    );
    for (const [name, process] of cases) {
      const { megabytes } = await process.ask({ memory: true });
      // The profile is taken last: it slows steps and has memory of its own.
      const peak = name.startsWith('torch') ? null : (await process.ask({ peak: true })).megabytes;
      results.push({ workload, batch, name, milliseconds: times.get(name), megabytes, peak });
      console.log(rowOf(name, times.get(name), megabytes, peak));
      process.close();
    }
    for (const backend of backends) {
      const own = times.get(`${backend}, per sample`);
      for (const other of [`${backend}, explicit`, `${backend}, mean`, 'torch, autogram']) {
        if (own === undefined || !times.has(other)) continue;
        const { median, low, high } = ratio(own, times.get(other));
        const digits = (value) => value.toPrecision(3);
        console.log(
          `  ${backend}, per sample / ${other}: x ${digits(median)} (${digits(low)} … ${digits(high)})`,
        );
      }
    }
  }
  return { results };
}

function rowOf(name, milliseconds, megabytes, peak) {
  const [low, median, high] = [0.25, 0.5, 0.75].map((q) =>
    quantile(milliseconds, q).toPrecision(4),
  );
  const tensors = peak === null ? '' : `, tensors ${peak.toFixed(1)} MiB at the peak`;
  return `  ${name.padEnd(24)} ${median.padStart(8)} ms (${low} … ${high})   resident +${megabytes.toFixed(0)} MiB${tensors}`;
}
