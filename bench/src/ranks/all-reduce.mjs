// One rank: the time of an all-reduce of 1e3, 1e5 and 1e7 float32 numbers, beside bench/peers/gloo.py.
// `multigrad launch -n 2 node bench/src/ranks/all-reduce.mjs`, or `mpirun -n 2 node …`
import { openRanks } from '@multigrad/distributed/node';

const communicator = await openRanks();
for (const [numbers, times] of [
  [1e3, 200],
  [1e5, 100],
  [1e7, 7],
]) {
  const values = new Float32Array(numbers).fill(1);
  const seconds = [];
  for (let i = 0; i <= times; i += 1) {
    await communicator.barrier();
    const began = performance.now();
    await communicator.allReduce(values);
    if (i > 0) seconds.push((performance.now() - began) / 1000);
  }
  const middle = seconds.sort((a, b) => a - b)[Math.floor(times / 2)];
  if (communicator.rank === 0) {
    console.log(`${communicator.kind} ${numbers} numbers: ${(1000 * middle).toFixed(3)} ms`);
  }
}
await communicator.close();
