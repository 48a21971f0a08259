// `node grow.mjs SEED THREADS GROWTHS`: before each kernel the memory grows, and the kernel writes to what is new, with
// workers held up at chance moments. On the bare module, where memory grows by a page at a time.
import { setImmediate } from 'node:timers';
import { kernelModule } from '../../../packages/backends/dist/wasm/kernel-module.js';
import {
  patience,
  tableBytes,
  ThreadTeam,
} from '../../../packages/backends/dist/wasm/threads/thread-team.js';
import { randomState, resumeRandom } from '../../../packages/core/dist/strategy.js';

const [seed, threads, growths] = process.argv.slice(2).map(Number);
const random = resumeRandom(randomState(seed, `grow ${threads}`));
const page = 65_536;
const points = ['before a claim', 'after a claim', 'in a piece', 'after a piece'];

/** Workers start anew so often: those that start while memory grows are part of it. */
const perTeam = 1000;
patience.slice = 5;

/** So many growths on one memory. @returns how many threads were lost */
async function growOften(count) {
  const memory = new WebAssembly.Memory({ initial: 32, maximum: page, shared: true });
  const { module } = kernelModule(true);
  let team = null;
  const env = { memory, wait_for_threads: (done) => team.wait(done) };
  const kernels = new WebAssembly.Instance(module, { env }).exports;
  kernels.__stack_pointer.value = page;
  const stacks = Array.from({ length: threads - 1 }, (_, index) => page * (4 + index));
  const job = 2 * page;
  if (job + tableBytes(threads - 1) > 3 * page) throw new Error('The table does not fit.');
  team = new ThreadTeam({ module, memory, job, stacks, kernels });
  const lost = [];
  team.listen((reason) => lost.push(reason));
  const wait = team.wait.bind(team);
  team.wait = (done) => {
    for (let worker = 1; worker < threads; worker += 1)
      if (team.sleeps(worker) && random.uniform() < 0.7) team.wake(worker);
    wait(done);
  };
  // 24 images of 3 x 3 x 2, a border of zeros around each: 24 pieces of 7 x 7 x 2 numbers.
  const [images, inner, outer, channels] = [24, 3, 7, 2];
  const source = 20 * page;
  const x = new Float32Array(memory.buffer, source, images * inner * inner * channels);
  x.forEach((_, index) => (x[index] = index + 1));
  const total = x.reduce((sum, value) => sum + value, 0);
  for (let growth = 0; growth < count; growth += 1) {
    const target = memory.grow(1) * page;
    const out = new Float32Array(memory.buffer, target, images * outer * outer * channels);
    // What a piece leaves out stays visible.
    out.fill(NaN);
    for (let worker = 1; worker < threads; worker += 1)
      if (random.uniform() < 0.05)
        team.order(worker, 'hold', points[random.integer(4)], random.integer(4));
    kernels.pad(job, source, target, images, inner, inner, channels, outer, outer, 2, 2);
    if (out.reduce((sum, value) => sum + value, 0) !== total)
      throw new Error(`Growth ${growth}: wrong numbers.`);
    // Now and then the event loop runs, so that workers start.
    if (growth % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const answering = await team.answering();
  team.stop();
  return { lost, answering };
}

for (let done = 0; done < growths; done += perTeam) {
  const { lost, answering } = await growOften(Math.min(perTeam, growths - done));
  console.log(JSON.stringify({ threads, done: done + perTeam, lost, answering }));
}
process.exit(0);
