// Whether both sides compute the same: losses and gradients of PyTorch from our weights.
import { fileURLToPath } from 'node:url';
import { startLineProcess } from './processes/line-process.mjs';
import { startPeer } from './processes/python.mjs';

/** Workloads whose weights `peers/agreement.py` can read. */
export const agreeing = ['mlp', 'lstm', 'lstm-layers', 'transformer'];

const worker = fileURLToPath(new URL('./step-worker.mjs', import.meta.url));

/**
 * Largest difference of a loss, or of a gradient relative to the largest number of its tensor. Where all of a tensor is
 * rounding (the biases of keys, which a softmax does not see), relative to a thousandth of the largest number of all.
 */
const tolerance = 2e-4;

/** Compares losses and gradients on a batch of 4, prints the largest differences. */
export async function expectAgreement({ backends, names, python }) {
  for (const name of names) {
    if (!agreeing.includes(name)) {
      throw new Error(`--workload should list some of ${agreeing.join(', ')}. Found ${name}.`);
    }
    const parameters = [name, '4', '32'];
    const peer = await startPeer(python, 'steps.py', parameters);
    if (peer.missing !== undefined) throw new Error(`PyTorch did not start: ${peer.missing}`);
    for (const backend of backends) {
      const own = await startLineProcess(process.execPath, [worker, backend, ...parameters]);
      if (own.missing !== undefined) throw new Error(`${backend} did not start: ${own.missing}`);
      const ours = await own.ask({ agree: true });
      if (ours.error !== undefined) throw new Error(`${backend}: ${ours.error}`);
      const theirs = await peer.ask({ weights: ours.weights });
      if (theirs.error !== undefined) throw new Error(`PyTorch: ${theirs.error}`);
      const worst = largestDifference(ours, theirs);
      console.log(`${name} on ${backend}: largest difference ${worst.difference.toExponential(1)}`);
      if (!(worst.difference <= tolerance)) {
        throw new Error(
          `${name} on ${backend} should agree with PyTorch to ${tolerance}. ` +
            `Found ${worst.difference} in ${worst.what}.`,
        );
      }
      own.close();
    }
    peer.close();
  }
}

/** `{ difference, what }` of the loss or gradient that differs most; every gradient must be on both sides. */
export function largestDifference(ours, theirs) {
  let worst = { difference: 0, what: 'nothing' };
  const see = (difference, what) => {
    if (!(difference <= worst.difference)) worst = { difference, what };
  };
  for (const [loss, value] of Object.entries(ours.losses)) {
    see(Math.abs(value - theirs.losses[loss]), `the loss ${loss}`);
    const magnitude = (values) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const least =
      1e-3 *
      Math.max(...Object.values(ours.gradients[loss]).map(({ values }) => magnitude(values)));
    for (const [variable, { values }] of Object.entries(ours.gradients[loss])) {
      const other = theirs.gradients[loss][variable];
      if (other === undefined || other.length !== values.length) {
        see(Infinity, `the gradient of ${variable}`);
        continue;
      }
      const size = Math.max(least, magnitude(values));
      const far = values.reduce((most, x, i) => Math.max(most, Math.abs(x - other[i])), 0);
      see(far / size, `the gradient of ${loss} for ${variable}`);
    }
  }
  return worst;
}
