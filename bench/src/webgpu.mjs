// What one MMPareto step costs on WebGPU in dispatches, buffers, bytes and time of JavaScript.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { softwareVulkan } from '../../scripts/software-vulkan/software-vulkan.mjs';

const worker = fileURLToPath(new URL('./webgpu-worker.mjs', import.meta.url));

/** A driver that hangs ends here; a processor that plays a graphics device takes seconds for a step. */
const patience = 1_200_000;

/** Prints the counts of one step, whole and program by program. */
export async function benchWebGpu({ workload, batch, width, steps }) {
  const given = [workload, batch, width, steps].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, [worker, ...given], {
    env: { ...process.env, ...softwareVulkan() },
    timeout: patience,
    maxBuffer: 2 ** 24,
  });
  const found = JSON.parse(stdout.trim().split('\n').at(-1));
  const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1);
  console.log(`One MMPareto step of ${workload}, batch ${batch}, width ${width}, on ${found.device}:

| what                            | a step |
| ------------------------------- | ------ |
| dispatches                      | ${found.dispatches} |
| submits of a command buffer     | ${found.submits} |
| buffers made                    | ${found.buffers} |
| MiB that kernels read           | ${megabytes(found.bytesRead)} |
| MiB that kernels wrote          | ${megabytes(found.bytesWritten)} |
| KiB written by the processor    | ${(found.uploads / 1024).toFixed(1)} |
| ms of JavaScript, without reads | ${found.busy.toFixed(1)} |

| kernel (program) | dispatches | MiB read | MiB written |
| ---------------- | ---------- | -------- | ----------- |`);
  for (const { program, dispatches, bytesRead, bytesWritten } of found.programs)
    console.log(
      `| ${program} | ${dispatches} | ${megabytes(bytesRead)} | ${megabytes(bytesWritten)} |`,
    );
}
