import { MultigradError, own } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import type { layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Shape } from '../layers/shape.ts';
import type { SeededLayers } from '../weights/seeded-layers.ts';

/** Streams at one place between their stages, by name. */
export type Streams = Readonly<Record<string, SymbolicTensor>>;

/** A gate that an exchange puts on a stream: a `ChannelGate`. */
export interface StreamGate {
  /** Name of its layer. */
  readonly name: string;
  readonly stream: string;
  /** What it opens by, n × channels. */
  readonly excitation: SymbolicTensor;
  /** The layer that makes the excitation, for this gate alone. */
  readonly own: layers.Layer;
  /** The layer before it, which the gates of one place share. */
  readonly shared: layers.Layer;
}

/** Streams behind an exchange, and the gates that stand on them there. */
export interface Connected {
  readonly streams: Streams;
  readonly gates: readonly StreamGate[];
}

/** An exchange of features between the stages of streams. */
export interface Exchange {
  /**
   * Refuses streams that cannot be connected, by their shapes; before any layer is made or applied.
   *
   * @throws MultigradError `invalid-option`
   */
  readonly check: (shapes: Readonly<Record<string, Shape>>) => void;
  /** Returns the streams after the exchange, each in view of the others; it makes its layers with `make`. */
  readonly connect: (streams: Streams, make: SeededLayers) => Connected;
}

/** The stages behind which streams exchange: for all streams the same, or each stream's own, in step. */
export type ExchangePlaces = readonly string[] | Readonly<Record<string, readonly string[]>>;

/**
 * For each stream the stages behind which exchanges stand, as many for every stream.
 *
 * @throws MultigradError `invalid-option`
 */
export function placesByStream(
  owner: string,
  streams: readonly string[],
  after: ExchangePlaces,
): Record<string, readonly string[]> {
  const places = streams.map((stream): [string, readonly string[]] => {
    const given: unknown = after;
    const places: unknown =
      Array.isArray(given) || typeof given !== 'object' || given === null
        ? given
        : own(given as Readonly<Record<string, unknown>>, stream);
    if (
      Array.isArray(places) &&
      places.length > 0 &&
      places.every((name) => typeof name === 'string')
    ) {
      return [stream, places];
    }
    throw new MultigradError(
      'invalid-option',
      `Option \`${owner}.after\` should name one or more stages of \`${stream}\`. Found ${describeValue(places)}.`,
    );
  });
  const [[first, { length }]] = places as [[string, readonly string[]]];
  for (const [stream, own] of places) {
    if (own.length === length) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`${owner}.after\` should name as many stages of each stream. Found ${length} of \`${first}\` and ` +
        `${own.length} of \`${stream}\`.`,
    );
  }
  return Object.fromEntries(places);
}
