// Rounds of sums until the end that the arguments ask of one rank. `node faults.mjs FAULT RANK [SILENCE] [PATIENCE]`
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { gradientExchange } from '@multigrad/distributed';
import { tcp } from '@multigrad/distributed/node';

const [fault, culprit, silence = 60, patience = 1800] = process.argv.slice(2);
const communicator = await tcp({ silence: Number(silence), patience: Number(patience) });
const { rank } = communicator;

/** What a rank does that computes for a while. */
function compute(seconds) {
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end);
}

const exchange = gradientExchange(communicator, { bucket: 2 ** 16 });

/** Sums of rows that are under way while this rank computes. */
async function overlapped(disturb) {
  const sums = exchange.sumRows();
  for (let row = 0; row < 6; row += 1) {
    await sums.add(new Float32Array(2 ** 16).fill(rank + row), 2 ** 16);
    compute(0.05);
    if (row === 3) disturb();
  }
  const slices = await sums.end();
  const [first] = slices[5];
  // 0 + 1 + 2 over three ranks, and 5 from each.
  if (first !== 18) throw new Error(`The sum should be 18. Found ${first}.`);
}

for (let round = 0; fault === 'endless' || round < 200; round += 1) {
  communicator.nextCall(`round ${round}`);
  if (round === 20 && rank === Number(culprit)) {
    console.log(`${fault} ${process.pid}`);
    if (fault === 'throw') throw new Error('out of luck');
    else if (fault === 'exit') process.exit(0);
    else if (fault === 'exit-code') process.exit(7);
    else if (fault === 'abort') communicator.abort(9);
    else if (fault === 'other-call') await communicator.barrier();
    else if (fault === 'other-size') await communicator.allReduce(new Float32Array(5));
    else if (fault === 'killed-while-sums-are-under-way')
      await overlapped(() => process.kill(process.pid, 'SIGKILL'));
    else if (fault === 'slow') compute(9);
    else if (fault === 'stuck') await pause(1e8);
    else if (fault === 'wait') await pause(1e8);
  }
  if (round === 20 && fault.includes('under-way')) await overlapped(() => undefined);
  const values = Float32Array.of(rank, round);
  await communicator.allReduce(values);
  const now = Float64Array.of(rank);
  communicator.allGatherNow(now);
  if (fault === 'wait') await pause(5);
}
await communicator.close();
console.log(JSON.stringify({ rank, done: true }));
