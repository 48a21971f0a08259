import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A run as the server keeps it. */
export interface KeptRun {
  readonly name: string;
  readonly experiment: string;
  status: string;
  readonly metrics: { key: string; value: number | string; step: number }[];
  readonly params: Record<string, string>;
  readonly tags: Record<string, string>;
}

/** A server with the few requests of MLflow's API that a logger makes; `npm run check:formats` asks the real one. */
export interface MlflowServer {
  readonly address: string;
  readonly experiments: ReadonlyMap<string, string>;
  readonly runs: ReadonlyMap<string, KeptRun>;
  /** Requests as `POST runs/create`, in order. */
  readonly requests: string[];
  /** Answers of the next requests, in the place of what they ask for. */
  readonly refusals: { status: number; text: string }[];
  close(): Promise<void>;
}

type Body = Record<string, never> & {
  readonly name: string;
  readonly experiment_name: string;
  readonly experiment_id: string;
  readonly run_name: string;
  readonly run_id: string;
  readonly status: string;
  readonly metrics?: KeptRun['metrics'];
  readonly params?: { key: string; value: string }[];
  readonly tags?: { key: string; value: string }[];
};

const validKey = /^[/\w.\- :]+$/;

export async function startMlflowServer(): Promise<MlflowServer> {
  const experiments = new Map<string, string>();
  const runs = new Map<string, KeptRun>();
  const requests: string[] = [];
  const refusals: MlflowServer['refusals'] = [];
  const missing = { status: 404, text: JSON.stringify({ error_code: 'RESOURCE_DOES_NOT_EXIST' }) };

  const answer = (path: string, body: Body): object | { status: number; text: string } => {
    switch (path) {
      case 'experiments/get-by-name': {
        const id = experiments.get(body.experiment_name);
        return id === undefined ? missing : { experiment: { experiment_id: id } };
      }
      case 'experiments/create':
        experiments.set(body.name, String(experiments.size));
        return { experiment_id: experiments.get(body.name) };
      case 'runs/create': {
        const id = `run${String(runs.size)}`;
        runs.set(id, {
          ...{ name: body.run_name, experiment: body.experiment_id, status: 'RUNNING' },
          ...{ metrics: [], params: {}, tags: {} },
        });
        return { run: { info: { run_id: id } } };
      }
      case 'runs/get': {
        const newest = new Map<string, KeptRun['metrics'][number]>();
        for (const one of runs.get(body.run_id)!.metrics) newest.set(one.key, one);
        // The real server writes steps as texts.
        const metrics = Array.from(newest.values(), (one) => ({ ...one, step: String(one.step) }));
        return { run: { data: metrics.length > 0 ? { metrics } : {} } };
      }
      case 'runs/log-batch': {
        const run = runs.get(body.run_id)!;
        for (const one of body.metrics ?? []) {
          if (!validKey.test(one.key)) return { status: 400, text: `Invalid metric ${one.key}` };
          run.metrics.push({ key: one.key, value: one.value, step: one.step });
        }
        for (const { key, value } of body.params ?? []) run.params[key] = value;
        for (const { key, value } of body.tags ?? []) run.tags[key] = value;
        return {};
      }
      default:
        runs.get(body.run_id)!.status = body.status;
        return {};
    }
  };

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { pathname, searchParams } = new URL(incoming.url!, 'http://server');
      const path = pathname.replace('/api/2.0/mlflow/', '');
      requests.push(`${incoming.method!} ${path}`);
      const text = Buffer.concat(chunks).toString();
      const body = (text === '' ? Object.fromEntries(searchParams) : JSON.parse(text)) as Body;
      const given = refusals.shift() ?? answer(path, body);
      if ('status' in given && 'text' in given) {
        response.writeHead(given.status as number).end(given.text);
      } else response.end(JSON.stringify(given));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ address: `http://127.0.0.1:${String(port)}`, experiments, runs, requests, refusals },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
