// Files that NumPy wrote, of every type that is read, must be read as what NumPy put there; others must be refused.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseNpy } from '../../packages/datasets/dist/index.js';

const [python] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'multigrad-npy-'));
try {
  const script = join(import.meta.dirname, 'npy_peer.py');
  const files = JSON.parse(
    execFileSync(python, [script, folder], { encoding: 'utf8', timeout: 60_000 }),
  );
  for (const { path, shape, values } of files) {
    const found = parseNpy(readFileSync(path), path);
    const same =
      found.values.length === values.length && values.every((v, k) => v === found.values[k]);
    if (!same || String(found.shape) !== String(shape)) throw new Error(`${path} differs.`);
  }
  for (const name of ['columns', 'big']) {
    let refused = false;
    try {
      parseNpy(readFileSync(join(folder, `${name}.npy`)), name);
    } catch {
      refused = true;
    }
    if (!refused) throw new Error(`${name}.npy should be refused.`);
  }
  console.log(`npy: ${files.length} files of NumPy read as it wrote them, 2 refused.`);
} finally {
  rmSync(folder, { recursive: true });
}
