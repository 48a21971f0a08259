import type { Socket } from 'node:net';
import { type Frame, FrameReader, type Head, headBytes } from './frames.ts';

/** What happens on a connection. */
export interface LinkEvents {
  /** A frame has come. */
  readonly frame: (frame: Frame) => void;
  /** Nothing will come any more. Called once; `reason` is empty for a connection that was closed. */
  readonly end: (reason: string) => void;
}

/** The most bytes that one frame may carry after the sender is known: 64 GiB. */
const largestBody = 2 ** 36;

/** A connection that carries frames. */
export class Link {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  #events: LinkEvents | null = null;
  /** Frames and the end that came before somebody listened. */
  readonly #early: Frame[] = [];
  #ended: string | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (piece) => {
      try {
        for (const frame of this.#reader.push(piece)) this.#take(frame);
      } catch (error) {
        this.#end(error instanceof Error ? error.message : String(error));
        socket.destroy();
      }
    });
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end(''));
  }

  /** This side's address of the connection. */
  get localHost(): string {
    return this.#socket.localAddress ?? '127.0.0.1';
  }

  /** Allows frames with numbers: the other side has shown that it knows the secret. */
  trust(): void {
    this.#reader.largestBody = largestBody;
  }

  /** Takes over what happens from now on, and what nobody has listened to yet. */
  listen(events: LinkEvents): void {
    this.#events = events;
    while (this.#early.length > 0 && this.#events === events) events.frame(this.#early.shift()!);
    if (this.#ended !== null && this.#events === events) events.end(this.#ended);
  }

  /** The next frame; rejects where the connection ends before. */
  async next(): Promise<Frame> {
    return new Promise((resolve, reject) => {
      this.listen({
        frame: (frame) => {
          this.#events = null;
          resolve(frame);
        },
        end: (reason) => reject(new Error(reason === '' ? 'the connection was closed' : reason)),
      });
    });
  }

  /** Sends a frame. The body must not change until it is sent. */
  send(head: Head, body?: Uint8Array): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(headBytes(head, body?.length ?? 0));
    if (body !== undefined && body.length > 0) this.#socket.write(body);
  }

  /** Closes the connection after what was sent; resolves when it is closed, within a second at most. */
  async close(): Promise<void> {
    if (this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => {
        this.#socket.destroy();
        resolve();
      }, 1000);
      this.#socket.end(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #take(frame: Frame): void {
    if (this.#events === null) this.#early.push(frame);
    else this.#events.frame(frame);
  }

  #end(reason: string): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    this.#events?.end(reason);
  }
}
