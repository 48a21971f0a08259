import { own } from '@multigrad/core/strategy';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Shape } from '../layers/shape.ts';
import type { Initialisation } from '../weights/initialisation.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';
import {
  type Connected,
  type Exchange,
  type ExchangePlaces,
  placesByStream,
  type StreamGate,
  type Streams,
} from './exchange.ts';
import { stageEnds, stagesOf } from './stages.ts';

/** Encoders side by side, with the exchange that stands between their stages. */
export interface ConnectedStreams {
  /** Name of the option, for messages. */
  readonly owner: string;
  readonly encoders: Readonly<Record<string, LayersModel>>;
  readonly exchange: Exchange;
  readonly after: ExchangePlaces;
  readonly seed: number;
  readonly initialisation: Initialisation;
}

/**
 * Encoders that run in step from their inputs to their outputs, with an exchange behind the stages named by `after`; the
 * layers of the k-th exchange are called `exchange<k>/…`. Everything is checked here; the function returned connects.
 *
 * @throws MultigradError `invalid-option` for unknown stages or streams that cannot be connected, `unsupported` for
 * encoders that are no chains
 */
export function connectStreams(connection: ConnectedStreams): (inputs: Streams) => Connected {
  const { owner, encoders, exchange, seed, initialisation } = connection;
  const names = Object.keys(encoders);
  const places = placesByStream(owner, names, connection.after);
  const stages = names.map((stream) => stagesOf(own(encoders, stream)!));
  const ends = names.map((stream, k) =>
    stageEnds(owner, own(encoders, stream)!, stages[k]!, own(places, stream)!),
  );
  const rounds = ends[0]!.length;
  for (let round = 0; round < rounds; round++) {
    const shapes = names.map((stream, k) => [stream, stages[k]![ends[k]![round]! - 1]!.shape]);
    exchange.check(Object.fromEntries(shapes) as Record<string, Shape>);
  }
  return (inputs) => {
    let streams = inputs;
    const gates: StreamGate[] = [];
    for (let round = 0; round <= rounds; round++) {
      const advanced = names.map((stream, k): [string, SymbolicTensor] => {
        const from = round === 0 ? 0 : ends[k]![round - 1]!;
        const next = stages[k]!.slice(from, ends[k]![round] ?? stages[k]!.length);
        return [
          stream,
          chain(
            own(streams, stream)!,
            next.map(({ layer }) => layer),
          ),
        ];
      });
      streams = Object.fromEntries(advanced);
      if (round < rounds) {
        const make = new SeededLayers(`exchange${round + 1}`, seed, initialisation);
        const connected = exchange.connect(streams, make);
        ({ streams } = connected);
        gates.push(...connected.gates);
      }
    }
    return { streams, gates };
  };
}
