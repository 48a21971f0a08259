import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { writeComparison } from '../testing/write-comparison.ts';
import { ChartCache } from './chart-cache.ts';
import { LivePageSource } from './live-page.ts';
import type { PageUpdate } from './page-update.ts';
import { type PageServer, servePage } from './server.ts';

const now = Date.parse('2030-01-01T00:00:00Z');
let folder: string;
let server: PageServer | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-watch-'));
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

/** @param charts - draws no charts unless told to: most tests look at what is around them */
async function serve(charts = new ChartCache(() => Promise.resolve('<svg></svg>'))): Promise<URL> {
  const source = new LivePageSource(folder, 'out', charts);
  server = await servePage(source, { port: 0, interval: 20, now: () => now });
  return new URL(server.url);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

function ask(
  url: URL,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked: ClientRequest = request(
      { host: url.hostname, port: url.port, path, ...options },
      (response) => {
        let text = '';
        response.on('data', (data: Buffer) => (text += data.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, text }),
        );
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

/** Sends bytes as they are, which no client library would. */
function askRaw(url: URL, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => socket.end(text));
    let answer = '';
    socket.on('data', (data: Buffer) => (answer += data.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

/** The updates that a browser gets, one by one. */
async function* updates(url: URL): AsyncGenerator<PageUpdate, void> {
  const response = await fetch(new URL('/events', url));
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  for await (const bytes of response.body! as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(bytes).toString();
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [event, rest] = [text.slice(0, end), text.slice(end + 2)];
      text = rest;
      if (event.startsWith('data: ')) yield JSON.parse(event.slice(6)) as PageUpdate;
    }
  }
}

async function next(stream: AsyncGenerator<PageUpdate, void>): Promise<PageUpdate> {
  const { value, done } = await stream.next();
  if (done === true) throw new Error('The stream has ended.');
  return value;
}

describe('the server', () => {
  it('serves its page, script and style under a policy that lets nothing else in', async () => {
    writeComparison(folder, recordedComparison({ strategies: ['sum'], seeds: [0] }));
    const url = await serve();
    for (const [path, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/page.js', 'text/javascript; charset=utf-8'],
      ['/sections.js', 'text/javascript; charset=utf-8'],
      ['/status.js', 'text/javascript; charset=utf-8'],
      ['/page.css', 'text/css; charset=utf-8'],
      ['/icon.svg', 'image/svg+xml'],
    ] as const) {
      const { status, headers } = await ask(url, path);
      expect([status, headers['content-type']]).toEqual([200, type]);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
    const page = (await ask(url, '/')).text;
    expect(page.match(/https?:|<script>|style=| on\w+=/g)).toBeNull();
  });

  it('serves every module that the script imports', async () => {
    writeComparison(folder, recordedComparison({ strategies: ['sum'], seeds: [0] }));
    const url = await serve();
    const left = ['/page.js'];
    const seen = new Set<string>();
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const { status, text } = await ask(url, path);
      expect([path, status]).toEqual([path, 200]);
      for (const [, name] of text.matchAll(/from ['"]\.(\/[^'"]+)['"]/g)) left.push(name!);
    }
    expect(seen.size).toBe(3);
  });

  it('refuses every name but its own, so that no other site’s name can be pointed at it', async () => {
    writeComparison(folder, recordedComparison({ strategies: ['sum'], seeds: [0] }));
    const url = await serve();
    const { port } = url;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      expect((await ask(url, '/', { headers: { host } })).status).toBe(200);
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      'localhost',
      `localhost:${Number(port) + 1}`,
      `localhost.evil.example:${port}`,
      `127.0.0.1:${port}@evil.example`,
      `0.0.0.0:${port}`,
      `[::1]:${port}`,
    ]) {
      for (const path of ['/', '/events', '/page.js']) {
        const { status, text } = await ask(url, path, { headers: { host } });
        expect([host, status]).toEqual([host, 403]);
        expect(text).not.toContain('<');
      }
    }
    for (const origin of ['http://evil.example', 'null', `https://localhost:${port}`]) {
      expect((await ask(url, '/events', { headers: { origin } })).status).toBe(403);
    }
    // Without a Host header, or with two, the parser itself refuses.
    expect(await askRaw(url, 'GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
    for (const head of ['GET / HTTP/1.0', 'GET / HTTP/1.1\r\nHost:', 'GET / HTTP/1.1\r\nHost: ']) {
      expect(await askRaw(url, `${head}\r\n\r\n`)).toMatch(/^HTTP\/1.1 403/);
    }
  });

  it('serves no file, whatever a request calls it, and can only be read', async () => {
    writeComparison(folder, recordedComparison({ strategies: ['sum'], seeds: [0] }));
    const url = await serve();
    for (const path of [
      '/config.json',
      '/../config.json',
      '/runs/sum-seed0/result.json',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%2f..%2fetc/passwd',
      '//etc/passwd',
      '/page.js/../../../package.json',
      '/page.js?../x',
      '/\\..\\..\\x',
      '/page.js%00.html',
      'http://evil.example/',
      '*',
    ]) {
      expect([path, (await ask(url, path)).status]).toEqual([path, 404]);
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      expect((await ask(url, '/', { method })).status).toBe(405);
    }
  });

  it('says which port is taken', async () => {
    writeComparison(folder, recordedComparison({ strategies: ['sum'], seeds: [0] }));
    const { port } = await serve();
    const source = new LivePageSource(folder, 'out', new ChartCache());
    await expect(
      servePage(source, { port: Number(port), interval: 20, now: () => now }),
    ).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining(`port ${port}`) as string,
    });
  });
});

describe('the events', () => {
  it('bring the whole report first, then only what has changed, until all runs have ended', async () => {
    const { config, runs } = recordedComparison({ strategies: ['sum', 'mgda'], seeds: [0] });
    const [sum, mgda] = runs as [(typeof runs)[0], (typeof runs)[0]];
    const begun = { ...mgda, epochs: [], steps: mgda.steps.slice(0, 3), result: null };
    writeComparison(folder, { config, runs: [sum, begun] });
    const stream = updates(await serve());
    const first = await next(stream);
    expect(first).toMatchObject({ ended: false, trouble: null });
    expect(first.title).toBe('CG-MNIST: 2 strategies compared');
    expect(first.order).toEqual([
      'now',
      'results',
      'final-accuracy',
      'accuracy',
      'training-loss',
      'test-loss',
      'conflicts',
      'cosines',
      'norms',
      'weights',
      'runs',
      'configuration',
      'commands',
      'sources',
    ]);
    expect(first.changed.map(({ id }) => id)).toEqual(first.order);
    const html = (update: PageUpdate, id: string): string =>
      update.changed.find((section) => section.id === id)!.html;
    expect(html(first, 'now')).toContain(
      '1 of 2 runs has ended: 1 finished. MGDA, seed 0: epoch 1 of 4, step 11.',
    );
    expect(html(first, 'now')).toContain('<progress max="1" value="0.5000"');
    expect(html(first, 'runs')).toContain('<td>open</td>');
    expect(html(first, 'results')).not.toContain('Not everything ran to its end');

    const path = join(folder, 'runs', 'mgda-seed0');
    // A line that is being written is not there yet.
    appendFileSync(join(path, 'steps.jsonl'), JSON.stringify(mgda.steps[3]!).slice(0, 50));
    appendFileSync(join(path, 'steps.jsonl'), `${JSON.stringify(mgda.steps[3]!).slice(50)}\n`);
    let second = await next(stream);
    while (!html(second, 'now').includes('step 16.')) second = await next(stream);
    expect(second.changed.map(({ id }) => id)).not.toContain('accuracy');
    expect(second.changed.map(({ id }) => id)).not.toContain('configuration');

    writeComparison(folder, { config, runs });
    let last = await next(stream);
    while (!last.ended) last = await next(stream);
    expect(html(last, 'now')).toContain('All runs have ended: 2 finished.');
    expect(html(last, 'now')).not.toContain('<progress');
    expect(html(last, 'runs')).not.toContain('<td>open</td>');
    await server!.close();
    server = undefined;
    expect((await stream.next()).done).toBe(true);
  });

  it('escape whatever a run is called or says', async () => {
    const evil = `</section><script>alert("1")</script><img src=x onerror='alert(1)'>&`;
    const { config, runs } = recordedComparison({
      strategies: ['sum', `./x.js:a=${evil}`],
      seeds: [0],
      cutShort: (strategy) => (strategy === 'sum' ? undefined : { epochs: 1, status: 'failed' }),
    });
    const poisoned = JSON.parse(
      JSON.stringify({ config, runs })
        .replaceAll('gray', () => JSON.stringify(evil).slice(1, -1))
        .replaceAll('cg-mnist', () => JSON.stringify(evil).slice(1, -1)),
    ) as typeof recordedComparison extends () => infer Result ? Result : never;
    poisoned.runs[1] = {
      ...poisoned.runs[1]!,
      result: { ...poisoned.runs[1]!.result!, error: { code: 'x', message: evil } },
    };
    poisoned.runs[0] = { ...poisoned.runs[0]!, result: null };
    writeComparison(folder, poisoned);
    const { changed } = await next(updates(await serve(new ChartCache())));
    const html = changed.map((section) => section.html).join('');
    expect(html.match(/<script|<img/g)).toBeNull();
    // Within an attribute a quote would end it.
    expect(html.match(/="[^"<>]*alert\("/g)).toBeNull();
    expect(html.split('&lt;script').length).toBeGreaterThan(20);
    expect(html.split('<section ').length).toBe(html.split('</section>').length);
  });

  it('keep what they showed and say why, while the folder cannot be read', async () => {
    const recorded = recordedComparison({ strategies: ['sum'], seeds: [0] });
    writeComparison(folder, recorded);
    const stream = updates(await serve());
    const first = await next(stream);
    renameSync(join(folder, 'config.json'), join(folder, 'config.json.part'));
    const second = await next(stream);
    expect(second).toMatchObject({
      order: first.order,
      changed: [],
      trouble: expect.stringContaining('config.json') as string,
    });
    renameSync(join(folder, 'config.json.part'), join(folder, 'config.json'));
    expect(await next(stream)).toMatchObject({ trouble: null, changed: [] });
  });

  it('outlive records that make no sense', async () => {
    writeComparison(folder, recordedComparison({ strategies: ['sum'], seeds: [0] }));
    const stream = updates(await serve());
    const { order } = await next(stream);
    appendFileSync(join(folder, 'runs', 'sum-seed0', 'epochs.jsonl'), '{}\n');
    expect(await next(stream)).toMatchObject({
      order,
      trouble: expect.stringContaining('should hold `epoch`, an integer >= 0') as string,
    });
  });

  it('show nothing that a link in the folder brings in from outside', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'multigrad-outside-'));
    try {
      const { config, runs } = recordedComparison({ strategies: ['sum', 'mgda'], seeds: [0] });
      writeComparison(outside, { config, runs });
      writeComparison(folder, { config, runs: runs.slice(0, 1) });
      symlinkSync(join(outside, 'runs', 'mgda-seed0'), join(folder, 'runs', 'mgda-seed0'));
      const stream = updates(await serve());
      expect(await next(stream)).toMatchObject({
        order: [],
        trouble: expect.stringContaining(join('runs', 'mgda-seed0', 'epochs.jsonl')) as string,
      });
      rmSync(join(folder, 'runs', 'mgda-seed0'));
      expect(await next(stream)).toMatchObject({ trouble: null, ended: false });
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('pass over files that are no runs', async () => {
    writeComparison(folder, recordedComparison({ strategies: ['sum'], seeds: [0] }));
    writeFileSync(join(folder, 'runs', '.DS_Store'), '');
    mkdirSync(join(folder, 'runs', 'of-somebody-else'));
    expect(await next(updates(await serve()))).toMatchObject({ trouble: null, ended: true });
  });
});
