import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { installNode } from './node.mjs';
import { run } from './run.mjs';

const here = import.meta.dirname;
const root = join(here, '..', '..');

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** verdaccio as the lock beside this file has it, installed once for each lock. */
async function install(cache) {
  const hash = createHash('sha256').update(readFileSync(join(here, 'package-lock.json')));
  const folder = join(cache, `registry-${hash.digest('hex').slice(0, 12)}`);
  const program = join(folder, 'node_modules', 'verdaccio', 'bin', 'verdaccio');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(here, file), join(folder, file));
  await run('npm', ['ci', '--no-fund', '--no-audit', '--ignore-scripts'], { cwd: folder });
  return program;
}

/**
 * A registry of this machine's own: our packages are published to it, all others come through it from the registry
 * that npm is configured for.
 *
 * @param cache - where its program stays from one rehearsal to the next
 * @param folder - where its packages live and die
 */
export async function startRegistry(cache, folder) {
  const program = await install(cache);
  // verdaccio asks for more than our packages do.
  const node = await installNode('22.23.3', cache);
  const uplink = (await run('npm', ['config', 'get', 'registry'], { cwd: root })).trim();
  const port = await freePort();
  // JSON is YAML too.
  const configuration = {
    storage: join(folder, 'storage'),
    uplinks: { configured: { url: uplink, maxage: '1h', timeout: '60s' } },
    packages: {
      '@multigrad/*': { access: '$all', publish: '$anonymous' },
      '**': { access: '$all', proxy: 'configured' },
    },
    max_body_size: '100mb',
    log: { type: 'stdout', format: 'json', level: 'warn' },
  };
  const path = join(folder, 'verdaccio.yaml');
  writeFileSync(path, JSON.stringify(configuration));
  const log = openSync(join(folder, 'verdaccio.log'), 'w');
  const child = spawn(node, [program, '--config', path, '--listen', `127.0.0.1:${port}`], {
    cwd: folder,
    stdio: ['ignore', log, log],
  });
  const url = `http://127.0.0.1:${port}/`;
  for (let attempt = 0; ; attempt += 1) {
    if (child.exitCode !== null || attempt === 300)
      throw new Error(
        `The registry does not start: ${readFileSync(join(folder, 'verdaccio.log'))}`,
      );
    const up = await fetch(`${url}-/ping`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { url, stop: () => child.kill() };
}
