import { MultigradError } from '@multigrad/core/strategy';

/** Where a rank takes connections of other ranks. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a frame says. Only `part` has a body. */
export type Head =
  /** The first frame of a connection. `address` is where the sender takes connections. */
  | {
      readonly kind: 'hello';
      readonly protocol: number;
      readonly token: string;
      readonly rank: number;
      readonly size: number;
      readonly bytes: string;
      readonly address: Address | null;
    }
  /** The answer of a rank to the hello of another one: numbers may follow. */
  | { readonly kind: 'welcome' }
  /** The answer to all ranks once each has said hello: their addresses, by rank. */
  | { readonly kind: 'table'; readonly addresses: readonly Address[] }
  /** Why a hello is not answered with a table. */
  | { readonly kind: 'refused'; readonly why: string }
  /** One rank's numbers of one round of one collective call. */
  | {
      readonly kind: 'part';
      readonly call: number;
      readonly round: number;
      readonly form: string;
      readonly what: string;
    }
  /** A sign of life, and what the sender waits for: null while its own program computes. */
  | { readonly kind: 'beat'; readonly call: number; readonly waitsFor: string | null }
  /** The sender cannot go on, and nobody else can. */
  | { readonly kind: 'failed'; readonly message: string }
  /** To the launcher: which rank has ended while others needed it. */
  | { readonly kind: 'lost'; readonly rank: number }
  /** All ranks should end. */
  | { readonly kind: 'abort'; readonly exitCode: number }
  /** The sender's last frame. */
  | { readonly kind: 'bye' };

/** A frame as it arrived. */
export interface Frame {
  readonly head: Head;
  readonly body: Uint8Array<ArrayBuffer>;
}

const magic = 0x4d475231;
const prefixBytes = 16;
/** The most bytes of a head: more is no frame of ours. */
const largestHead = 64 * 1024;

/** The bytes of a frame but for its body: magic number, lengths of head and body, head as JSON. */
export function headBytes(head: Head, bodyBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(prefixBytes + json.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  view.setUint32(4, json.length);
  view.setBigUint64(8, BigInt(bodyBytes));
  bytes.set(json, prefixBytes);
  return bytes;
}

/** Puts frames together from the pieces in which a connection delivers them. */
export class FrameReader {
  readonly #small: Uint8Array[] = [];
  #smallBytes = 0;
  #head: Head | null = null;
  #body: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #filled = 0;
  /** The most bytes of a body: none before the sender is known. */
  largestBody = 0;

  /**
   * The frames that are complete with this piece.
   *
   * @throws MultigradError `invalid-data` where the bytes are no frames
   */
  *push(piece: Uint8Array): Generator<Frame, void> {
    let rest = piece;
    for (;;) {
      if (this.#head === null) {
        this.#small.push(rest);
        this.#smallBytes += rest.length;
        const behind = this.#readHead();
        if (behind === null) return;
        rest = behind;
      }
      const taken = rest.subarray(0, this.#body.length - this.#filled);
      this.#body.set(taken, this.#filled);
      this.#filled += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#filled < this.#body.length) return;
      const frame = { head: this.#head!, body: this.#body };
      this.#head = null;
      yield frame;
      if (rest.length === 0) return;
    }
  }

  /** Reads a head; returns what follows it, null where not all of it is there. */
  #readHead(): Uint8Array | null {
    if (this.#smallBytes < prefixBytes) return null;
    const bytes = this.#small.length === 1 ? this.#small[0]! : joined(this.#small);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = view.getUint32(4);
    const bodyBytes = Number(view.getBigUint64(8));
    if (view.getUint32(0) !== magic || length > largestHead || bodyBytes > this.largestBody) {
      throw new MultigradError(
        'invalid-data',
        'A connection should carry frames of multigrad. Found other bytes.',
      );
    }
    this.#small.length = 0;
    if (bytes.length < prefixBytes + length) {
      this.#small.push(bytes);
      return null;
    }
    this.#smallBytes = 0;
    this.#head = readHead(bytes.subarray(prefixBytes, prefixBytes + length));
    this.#body = new Uint8Array(bodyBytes);
    this.#filled = 0;
    return bytes.subarray(prefixBytes + length);
  }
}

function readHead(json: Uint8Array): Head {
  try {
    const head = JSON.parse(new TextDecoder().decode(json)) as unknown;
    if (typeof head === 'object' && head !== null && 'kind' in head) return head as Head;
  } catch {
    // The same message as for other bytes that are no head.
  }
  throw new MultigradError(
    'invalid-data',
    'A frame should begin with a JSON object that has a `kind`. Found other text.',
  );
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
