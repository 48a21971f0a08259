import { enableProdMode } from '@tensorflow/tfjs-core';
import { advise } from './advice.ts';
import { type Examined, examine, type Findings } from './examine.ts';
import { gradientTolerance } from './self-test.ts';
import type { Environment } from '../shared/environment.ts';
import { exitCodes } from '../shared/exit-codes.ts';

/**
 * Says what was found, which backend is used and why, whether it computes right and how fast.
 *
 * @returns the exit code: failure where the backend in use computes wrong gradients
 */
export async function doctor(json: boolean, { print }: Environment): Promise<number> {
  // Without it the cpu backend prints an advertisement of another package.
  enableProdMode();
  const findings = await examine(() => performance.now() / 1000);
  if (json) print(JSON.stringify(findings, null, 2));
  else for (const line of findingLines(findings)) print(line);
  const chosen = findings.backends.find(({ name }) => name === findings.choice.name);
  return chosen !== undefined && isRight(chosen) ? exitCodes.success : exitCodes.failure;
}

function isRight({ test }: Examined): boolean {
  // Written so that NaN counts as wrong.
  return test !== null && test.gradientError <= gradientTolerance;
}

/** The findings as text. */
export function findingLines(findings: Findings): string[] {
  const { versions, processor, processors, vectors, native, backends, choice } = findings;
  const versionText = Object.entries(versions).map(([name, version]) =>
    name === 'platform' ? version : `${name} ${version}`,
  );
  return [
    versionText.join(', '),
    [`${processors} × ${processor}`, ...vectors].join(', '),
    native.driver ? 'A driver for CUDA devices is installed.' : 'No driver for CUDA devices.',
    '',
    'Native TensorFlow',
    ...native.packages.map(
      ({ name, version }) => `  ${name.padEnd(26)} ${version ?? 'not installed'}`,
    ),
    `  ${'builds'.padEnd(26)} ${native.builds.map(buildText).join(', ') || `none in ${native.folder}`}`,
    '',
    `${'Backend'.padEnd(12)} ${'gradients'.padEnd(18)} ${'matmul'.padStart(14)} ${'convolution, both ways'.padStart(24)}`,
    ...backends.map(backendLine),
    ...backends.flatMap(deviceLine),
    '',
    `Used: ${choice.name} (${choice.reason})`,
    ...advise(findings),
  ];
}

function buildText({ tensorflow, device }: { tensorflow: string; device: string }): string {
  return `TensorFlow ${tensorflow} for ${device === 'gpu' ? 'CUDA devices' : 'processors'}`;
}

function deviceLine({ name, report }: Examined): string[] {
  const { gpu, wasm } = report ?? {};
  if (wasm !== undefined) {
    const { threads, threadsReason } = wasm;
    return [`${name} computes on ${threads} thread${threads === 1 ? '' : 's'} (${threadsReason}).`];
  }
  if (gpu === undefined) return [];
  return [`${name} computes on ${gpu.device}${gpu.software ? ', played by the processor' : ''}.`];
}

function backendLine(examined: Examined): string {
  const { name, failure, test } = examined;
  if (test === null) return `${name.padEnd(12)} ${failure}`;
  const error = test.gradientError.toExponential(0);
  const verdict = isRight(examined) ? `right (${error})` : `WRONG (${error})`;
  const speed = (value: number): string =>
    `${value < 1 ? value.toPrecision(1) : value.toFixed(value < 10 ? 1 : 0)} GFLOPS`;
  return `${name.padEnd(12)} ${verdict.padEnd(18)} ${speed(test.matmul).padStart(14)} ${speed(test.convolution).padStart(24)}`;
}
