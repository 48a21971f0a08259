// A rank that would never end by itself. It tells a socket who it is, which signals it gets and which error its calls end with;
// the socket is closed when the process has ended. `node orphan.mjs PORT BEHAVIOUR`
import { connect } from 'node:net';
import process from 'node:process';
import { setTimeout } from 'node:timers';
import { tcp } from '@multigrad/distributed/node';

const [port, behaviour] = process.argv.slice(2);
const socket = connect(Number(port), '127.0.0.1');
const say = (text) => socket.write(`${text}\n`);

if (behaviour === 'before its place is taken') {
  say(`started ${process.pid}`);
  await new Promise((resolve) => socket.once('data', resolve));
}
const communicator = await tcp();
if (behaviour === 'without an answer to signals') {
  process.on('SIGTERM', () => say('SIGTERM'));
  process.on('SIGINT', () => {
    say('SIGINT');
    // A second Ctrl-C within a second is taken for the first one, passed on.
    setTimeout(() => say('still there'), 1500);
  });
}
communicator.nextCall('first round');
await communicator.barrier();
say(`started ${process.pid}`);
if (behaviour === 'in computations without an end') {
  await new Promise((resolve) => setTimeout(resolve, 10));
  for (;;);
}
try {
  for (;;) {
    communicator.nextCall('round');
    await communicator.barrier();
  }
} catch (error) {
  say(error.message);
  if (behaviour === 'by rounds of calls') throw error;
}
// It goes on after the error.
setTimeout(() => undefined, 2 ** 30);
