import type { TrainerCallback } from '@multigrad/core';
import { type Json, MultigradError } from '@multigrad/core/strategy';
import { assertEvery } from '../files/every.ts';
import { groupValues, stepValues } from '../step-values.ts';
import { type Entry, type Metric, MlflowClient, type ServerOptions } from './client.ts';
import { MetricKeys } from './metric-keys.ts';

/** Options of {@link mlflow}. */
export interface MlflowOptions extends ServerOptions {
  /** Name of the experiment, which is created where the server has none of that name. */
  readonly experiment: string;
  /** Name of the run. */
  readonly run: string;
  /** Parameters of the run, such as the strategy and the learning rate. @defaultValue none */
  readonly params?: Readonly<Record<string, string | number | boolean>>;
  /** Tags of the run. @defaultValue none */
  readonly tags?: Readonly<Record<string, string>>;
  /** Sends every n-th step, an integer >= 1, a request for each; epochs are all sent. @defaultValue 10 */
  readonly every?: number;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: () => number;
}

/** Metrics, parameters or tags that one request may hold, by MLflow's limits. */
const most = { metrics: 1000, entries: 100 } as const;

const epochPrefix = 'epoch/';

/**
 * Logs training to an MLflow tracking server by its REST API; no MLflow has to be installed here.
 *
 * Metrics of a step: `loss/OBJECTIVE`, `METRIC/OBJECTIVE`, and of each group `norm/GROUP/OBJECTIVE`,
 * `cosine/GROUP/ONE OTHER`, `weight/GROUP/OBJECTIVE`, `conflict/GROUP` (0 or 1) and the strategy's own numbers. At the
 * end of an epoch: its logs as `epoch/NAME`, at its last step. MLflow allows fewer characters in names: others become
 * `_`.
 *
 * @remarks
 * A step is on the server before the next one begins. Training that resumes from a checkpoint goes on with the same run,
 * and what the server already has of the steps made again is not sent twice. A run that is cut short keeps the status
 * RUNNING. A server that does not answer within `timeout` ends training with an error, as a full disk ends it for a
 * file; checkpoints are not lost by it.
 *
 * MLflow's folder format (`mlruns`) is not written: MLflow 3 refuses it by default.
 *
 * @throws MultigradError `invalid-option`; while training, `io` that names the server and what it answered
 *
 * @example
 * ```ts
 * import { mlflow } from '@multigrad/callbacks';
 *
 * // goes into fit's callbacks, beside the server that `mlflow server --port 5000` starts
 * const logger = mlflow({
 *   server: 'http://127.0.0.1:5000',
 *   experiment: 'digits',
 *   run: 'mmpareto, seed 0',
 *   params: { strategy: 'mmpareto', gamma: 1.5, lr: 0.01 },
 * });
 * console.log(logger.name); // mlflow: digits at http://127.0.0.1:5000
 * ```
 */
export function mlflow(options: MlflowOptions): TrainerCallback {
  // eslint-disable-next-line no-restricted-properties -- whoever has a clock of their own passes it
  const { server, experiment, run: runName, params = {}, tags = {}, now = Date.now } = options;
  const every = assertEvery('every', options.every ?? 10);
  assertEvery('timeout', options.timeout ?? 30_000);
  if (!URL.canParse(server) || !/^https?:/.test(server)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`server\` should be an address such as http://127.0.0.1:5000. Found ${JSON.stringify(server)}.`,
    );
  }
  for (const [name, text] of Object.entries({ experiment, run: runName })) {
    if (typeof text === 'string' && text.trim() !== '') continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`${name}\` should be a name. Found ${JSON.stringify(text)}.`,
    );
  }
  const client = new MlflowClient(options);
  let keys = new MetricKeys();
  let run: string | null = null;
  /** The run that the `fit` which is about to resume goes on with. */
  let resumed: string | null = null;
  let last = 0;
  /** The newest steps that the server has: of steps, and of ends of epochs. */
  let held = { steps: -1, epochs: -1 };

  const send = async (step: number, values: ReadonlyMap<string, number>): Promise<void> => {
    const timestamp = now();
    const metrics: Metric[] = Array.from(values, ([tag, value]) => ({
      ...{ key: keys.keyOf(tag), timestamp, step },
      value: Number.isFinite(value) ? value : (String(value) as 'NaN'),
    }));
    for (let from = 0; from < metrics.length; from += most.metrics) {
      await client.log(run!, { metrics: metrics.slice(from, from + most.metrics) });
    }
  };

  return {
    name: `mlflow: ${experiment} at ${server}`,
    snapshot: (): Json => ({ run }),
    restore: (state) => {
      resumed = (state as { readonly run: string | null }).run;
    },
    onTrainBegin: async ({ step }) => {
      keys = new MetricKeys();
      last = step - 1;
      held = { steps: -1, epochs: -1 };
      run = resumed;
      resumed = null;
      if (run === null) {
        run = await client.createRun(await client.experiment(experiment), runName, now());
        const [given, labels] = [params, tags].map(entriesOf);
        for (let from = 0; from < Math.max(given!.length, labels!.length); from += most.entries) {
          const to = from + most.entries;
          await client.log(run, { params: given!.slice(from, to), tags: labels!.slice(from, to) });
        }
        return;
      }
      for (const { key, step: newest } of await client.newestMetrics(run)) {
        const kind = key.startsWith(epochPrefix) ? 'epochs' : 'steps';
        held = { ...held, [kind]: Math.max(held[kind], newest) };
      }
      await client.setStatus(run, 'RUNNING');
    },
    onBatchEnd: async (_, report) => {
      last = report.step;
      if (report.step % every !== 0 || report.step <= held.steps) return;
      const values = stepValues(report);
      for (const group of report.groups) {
        for (const [tag, value] of groupValues(group)) values.set(tag, value);
      }
      await send(report.step, values);
    },
    onEpochEnd: async (_, logs) => {
      if (last <= held.epochs) return;
      await send(
        last,
        new Map(Object.entries(logs).map(([name, value]) => [epochPrefix + name, value])),
      );
    },
    onTrainEnd: async () => {
      await client.setStatus(run!, 'FINISHED', now());
    },
  };
}

function entriesOf(values: Readonly<Record<string, string | number | boolean>>): Entry[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: String(value) }));
}
