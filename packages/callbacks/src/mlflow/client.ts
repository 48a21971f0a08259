import { ioError } from '@multigrad/core/support';

/** Where an MLflow tracking server is, and how it is asked. */
export interface ServerOptions {
  /** Address of the tracking server, as in `http://127.0.0.1:5000`. */
  readonly server: string;
  /** Token for servers that ask for one. @defaultValue none */
  readonly token?: string;
  /** Milliseconds after which a request counts as failed. @defaultValue 30000 */
  readonly timeout?: number;
}

/** What a server answered to a request that it refused. */
interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** A request that the server refused. */
export class RefusedRequest extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.code} (status ${refusal.status}): ${refusal.message}`);
    this.refusal = refusal;
  }
}

/** One request of MLflow's REST API. @throws RefusedRequest, or whatever `fetch` throws */
async function request(
  { server, token, timeout = 30_000 }: ServerOptions,
  method: 'GET' | 'POST',
  path: string,
  content: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const address = new URL(`${server.replace(/\/+$/, '')}/api/2.0/mlflow/${path}`);
  if (method === 'GET') {
    for (const [name, value] of Object.entries(content)) {
      address.searchParams.set(name, String(value));
    }
  }
  const response = await fetch(address, {
    method,
    headers: {
      'Content-Type': 'application/json',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    ...(method === 'POST' ? { body: JSON.stringify(content) } : {}),
    signal: AbortSignal.timeout(timeout),
  });
  const text = await response.text();
  if (response.ok) return text === '' ? {} : JSON.parse(text);
  throw new RefusedRequest({ status: response.status, ...refusalOf(text) });
}

function refusalOf(text: string): Omit<Refusal, 'status'> {
  try {
    const { error_code: code, message } = JSON.parse(text) as Record<string, unknown>;
    if (typeof code === 'string') return { code, message: String(message) };
  } catch {
    // A proxy in between answers with a page.
  }
  return { code: 'no answer of MLflow', message: text.slice(0, 200) };
}

/** A value of a metric at a step. */
export interface Metric {
  readonly key: string;
  /** A number; NaN and infinities as MLflow writes them. */
  readonly value: number | 'NaN' | 'Infinity' | '-Infinity';
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly step: number;
}

/** A parameter or a tag. */
export interface Entry {
  readonly key: string;
  readonly value: string;
}

/** What is written into a run with one request. */
export interface Content {
  readonly metrics?: readonly Metric[];
  readonly params?: readonly Entry[];
  readonly tags?: readonly Entry[];
}

/** The newest value of each metric of a run, as far as it is asked for here. */
export type NewestMetrics = readonly { readonly key: string; readonly step: number }[];

/** A tracking server, asked by its REST API (`/api/2.0/mlflow`). Every method throws `io` that names server and cause. */
export class MlflowClient {
  readonly #options: ServerOptions;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** The id of an experiment, which is created where there is none of that name. */
  async experiment(name: string): Promise<string> {
    return this.#ask(`find or create the experiment \`${name}\``, async (send) => {
      const find = async (): Promise<string> => {
        const found = await send('GET', 'experiments/get-by-name', { experiment_name: name });
        return (found as { experiment: { experiment_id: string } }).experiment.experiment_id;
      };
      try {
        return await find();
      } catch (error) {
        if (!isRefusal(error, 'RESOURCE_DOES_NOT_EXIST')) throw error;
      }
      try {
        const made = await send('POST', 'experiments/create', { name });
        return (made as { experiment_id: string }).experiment_id;
      } catch (error) {
        // Another process was faster.
        if (isRefusal(error, 'RESOURCE_ALREADY_EXISTS')) return find();
        throw error;
      }
    });
  }

  /** Creates a run and returns its id. */
  async createRun(experiment: string, name: string, startTime: number): Promise<string> {
    return this.#ask(`create the run \`${name}\``, async (send) => {
      const made = await send('POST', 'runs/create', {
        experiment_id: experiment,
        run_name: name,
        start_time: startTime,
      });
      return (made as { run: { info: { run_id: string } } }).run.info.run_id;
    });
  }

  /** The newest metrics of a run. */
  async newestMetrics(run: string): Promise<NewestMetrics> {
    return this.#ask(`read the run ${run}`, async (send) => {
      const found = await send('GET', 'runs/get', { run_id: run });
      // Whole numbers of 64 bits may be texts in this API.
      type Sent = readonly { readonly key: string; readonly step: number | string }[];
      const { metrics = [] } = (found as { run: { data: { metrics?: Sent } } }).run.data;
      return metrics.map(({ key, step }) => ({ key, step: Number(step) }));
    });
  }

  async log(run: string, content: Content): Promise<void> {
    await this.#ask(`write to the run ${run}`, (send) =>
      send('POST', 'runs/log-batch', { run_id: run, ...content }),
    );
  }

  async setStatus(run: string, status: 'RUNNING' | 'FINISHED', endTime?: number): Promise<void> {
    const end = endTime === undefined ? {} : { end_time: endTime };
    await this.#ask(`update the run ${run}`, (send) =>
      send('POST', 'runs/update', { run_id: run, status, ...end }),
    );
  }

  async #ask<Answer>(
    what: string,
    ask: (
      send: (
        method: 'GET' | 'POST',
        path: string,
        content: Readonly<Record<string, unknown>>,
      ) => Promise<unknown>,
    ) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await ask((method, path, content) => request(this.#options, method, path, content));
    } catch (cause) {
      throw ioError(`${what} at the MLflow server ${this.#options.server}`, cause);
    }
  }
}

function isRefusal(error: unknown, code: string): boolean {
  return error instanceof RefusedRequest && error.refusal.code === code;
}
