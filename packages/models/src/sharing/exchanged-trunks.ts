import { MultigradError } from '@multigrad/core/strategy';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { connectStreams } from '../exchanges/connect-streams.ts';
import type { Exchange, Streams } from '../exchanges/exchange.ts';
import type { SeededLayers } from '../weights/seeded-layers.ts';
import { type SharedBody, type SharingSetting, taken } from './shared-body.ts';

/**
 * A trunk for each task, with something between them behind the stages named by `after`, which have to be of one shape.
 *
 * @param what - what is done to trunks there, for messages: that they `branch`
 */
export function exchangedTrunks(
  setting: SharingSetting,
  after: readonly string[],
  what: string,
  between: (streams: Streams, make: SeededLayers) => readonly (readonly [string, SymbolicTensor])[],
): SharedBody {
  const { tasks, trunk, seed, initialisation } = setting;
  const encoders = Object.fromEntries(tasks.map((task) => [task, trunk(task)]));
  const check: Exchange['check'] = (shapes) => {
    const [first, ...others] = Object.values(shapes).map((shape) => shape.slice(1).join(', '));
    const odd = others.find((shape) => shape !== first);
    if (odd === undefined) return;
    throw new MultigradError(
      'invalid-option',
      `Trunks that ${what} should have stages of the same shape. Found [${first}] and [${odd}].`,
    );
  };
  const connect: Exchange['connect'] = (streams, make) => ({
    streams: Object.fromEntries(between(streams, make)),
    gates: [],
  });
  const owner = 'sharing';
  const exchange = { check, connect };
  const run = connectStreams({ owner, encoders, exchange, after, seed, initialisation });
  return (input) => {
    const { streams } = run(Object.fromEntries(tasks.map((task) => [task, input])));
    const vectors = Object.entries(streams).map(([task, x]): [string, SymbolicTensor] => [
      task,
      taken(task, x, setting),
    ]);
    return { features: Object.fromEntries(vectors) };
  };
}
