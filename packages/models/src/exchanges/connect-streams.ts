import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Initialisation } from '../weights/initialisation.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';
import { type Exchange, type ExchangePlaces, placesByStream, type Streams } from './exchange.ts';
import { stageEnds, stagesOf } from './stages.ts';

/** Encoders side by side, with the exchange that stands between their stages. */
export interface ConnectedStreams {
  /** What the option is called, for messages. */
  readonly owner: string;
  readonly encoders: Readonly<Record<string, LayersModel>>;
  readonly exchange: Exchange;
  readonly after: ExchangePlaces;
  readonly seed: number;
  readonly initialisation: Initialisation;
}

/**
 * Runs encoders in step from their inputs to their outputs, with an exchange behind the stages named by `after`; the
 * layers of the k-th exchange are called `exchange<k>/…`.
 *
 * @throws MultigradError `invalid-option` for unknown stages, `unsupported` for encoders that are no chains
 */
export function connectStreams(inputs: Streams, connection: ConnectedStreams): Streams {
  const { owner, encoders, exchange, seed, initialisation } = connection;
  const names = Object.keys(encoders);
  const places = placesByStream(owner, names, connection.after);
  const stages = names.map((stream) => stagesOf(encoders[stream]!));
  const ends = names.map((stream, k) =>
    stageEnds(owner, encoders[stream]!, stages[k]!, places[stream]!),
  );
  let streams = inputs;
  for (let round = 0; round <= ends[0]!.length; round++) {
    const advanced = names.map((stream, k): [string, SymbolicTensor] => {
      const upTo = ends[k]![round] ?? stages[k]!.length;
      const next = stages[k]!.slice(round === 0 ? 0 : ends[k]![round - 1], upTo);
      return [stream, chain(streams[stream]!, next)];
    });
    streams = Object.fromEntries(advanced);
    if (round < ends[0]!.length) {
      streams = exchange(streams, new SeededLayers(`exchange${round + 1}`, seed, initialisation));
    }
  }
  return streams;
}
