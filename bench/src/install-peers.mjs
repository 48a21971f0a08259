// `npm run bench:peers`: a Python environment in bench/.venv with PyTorch and TorchJD, for the benchmarks alone.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment } from './processes/python.mjs';

const run = (command, parameters) => execFileSync(command, parameters, { stdio: 'inherit' });
const python = join(environment, 'bin', 'python');
if (!existsSync(python)) run('python3', ['-m', 'venv', environment]);
const requirements = fileURLToPath(new URL('../peers/requirements.txt', import.meta.url));
run(python, ['-m', 'pip', 'install', '--requirement', requirements]);
