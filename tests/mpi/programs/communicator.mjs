// Every call of the communicator, with answers that a test can foresee; one line of JSON a rank.
import { broadcastJson, gatherJson } from '@multigrad/distributed';
import { openRanks } from '@multigrad/distributed/node';
import { clearInterval, setInterval, setTimeout } from 'node:timers';

const communicator = await openRanks();
const { rank, size } = communicator;
const sums = Float32Array.of(rank, 1);
await communicator.allReduce(sums);
const largest = Float64Array.of(rank);
await communicator.allReduce(largest, 'max');
const counts = Array.from({ length: size }, (_, other) => other);
const total = counts.reduce((sum, count) => sum + count, 0);
const part = await communicator.reduceScatter(
  Float32Array.from({ length: total }, (_, i) => i),
  counts,
);
const whole = await communicator.allGather(new Uint8Array(rank).fill(rank), counts);
const apart = await communicator.allToAll(
  Uint8Array.from({ length: total }, (_, i) => 10 * rank + i),
  counts,
);
const given = Float64Array.of(rank + 0.1);
await communicator.broadcast(given, size - 1);
const now = Float64Array.of(rank);
const together = communicator.allGatherNow(now);
const all = await gatherJson(communicator, { rank, text: 'ä'.repeat(rank) });
const first = await broadcastJson(communicator, rank === 0 ? { said: 0.1 + 0.2 } : null);
// The thread is free while a rank waits for a slower one.
let turns = 0;
const timer = setInterval(() => (turns += 1), 1);
if (rank === 0) await new Promise((resolve) => setTimeout(resolve, 300));
await communicator.barrier();
clearInterval(timer);
let refused = '';
await communicator.reduceScatter(new Float32Array(3), [1]).catch((error) => (refused = error.code));
await communicator.close();
const lists = {
  sums: [...sums],
  largest: [...largest],
  part: [...part],
  apart: [...apart],
  whole: [...whole],
  given: [...given],
  now: [...together],
};
console.log(JSON.stringify({ rank, size, ...lists, all, first, turns, refused }));
