import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The tarballs that npm would publish.
 *
 * @param root - a checkout with built packages
 * @param folder - where the tarballs go
 */
export function packAll(root, folder) {
  const output = execFileSync(
    'npm',
    ['pack', '--workspace', 'packages', '--pack-destination', folder, '--json', '--ignore-scripts'],
    { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 },
  );
  return Object.values(JSON.parse(output)).map(({ name, filename }) => ({
    name,
    data: new Uint8Array(readFileSync(join(folder, filename))),
  }));
}
