import type { ServerResponse } from 'node:http';
import { MultigradError } from '@multigrad/core/strategy';
import type { LivePage, LivePageSource } from './live-page.ts';
import type { PageUpdate } from './page-update.ts';

interface Reader {
  readonly response: ServerResponse;
  /** Versions of the sections that it was sent, by id. */
  readonly versions: Map<string, string>;
  /** The page and the trouble that it was last told of. */
  told: readonly [LivePage | undefined, string | null] | undefined;
}

/** Time between two empty messages, which fail where a browser is gone, in ms. */
const heartbeat = 15_000;

/** Reads the page again and again while a browser watches, and sends every browser the sections that it does not have. */
export class Broadcast {
  readonly #source: LivePageSource;
  readonly #interval: number;
  readonly #now: () => number;
  readonly #readers = new Set<Reader>();
  #page: LivePage | undefined;
  #trouble: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;

  constructor(source: LivePageSource, interval: number, now: () => number) {
    this.#source = source;
    this.#interval = interval;
    this.#now = now;
  }

  /** Sends server-sent events to a response until it is closed. */
  add(response: ServerResponse): void {
    const reader: Reader = { response, versions: new Map(), told: undefined };
    this.#readers.add(reader);
    const beat = setInterval(() => response.write(': \n\n'), heartbeat);
    response.on('close', () => {
      clearInterval(beat);
      this.#readers.delete(reader);
    });
    if (this.#page !== undefined) this.#tell(reader);
    if (!this.#looking) this.#schedule(0);
  }

  /** Stops looking for changes and ends the answer to every reader. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { response } of this.#readers) response.end();
  }

  #schedule(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), delay);
  }

  async #look(): Promise<void> {
    this.#looking = true;
    const began = performance.now();
    try {
      this.#page = await this.#source.read();
      this.#trouble = null;
    } catch (error) {
      // A folder that is being replaced cannot be read for a moment; the page keeps what it showed.
      this.#trouble = MultigradError.isInstance(error)
        ? error.message
        : `The records cannot be shown: ${String(error)}`;
    } finally {
      this.#looking = false;
    }
    if (this.#closed) return;
    for (const reader of this.#readers) this.#tell(reader);
    // At most a fifth of the time is spent on reading: a training may run on the same processor.
    const took = performance.now() - began;
    if (this.#readers.size > 0) this.#schedule(Math.max(this.#interval, 4 * took));
  }

  #tell(reader: Reader): void {
    const { response, versions, told } = reader;
    if (told?.[0] === this.#page && told?.[1] === this.#trouble) return;
    // A browser that is slow to read gets the next page instead of a queue of old ones.
    if (response.writableNeedDrain) return;
    reader.told = [this.#page, this.#trouble];
    const sections = this.#page?.sections ?? [];
    const changed = sections.filter(({ id, version }) => versions.get(id) !== version);
    for (const { id, version } of changed) versions.set(id, version);
    const update: PageUpdate = {
      title: this.#page?.title ?? '',
      lead: this.#page?.lead ?? '',
      ended: this.#page?.ended ?? false,
      age: this.#page === undefined ? 0 : Math.max(0, this.#now() - this.#page.changedAt),
      trouble: this.#trouble,
      order: sections.map(({ id }) => id),
      changed: changed.map(({ id, html }) => ({ id, html })),
    };
    response.write(`data: ${JSON.stringify(update)}\n\n`);
  }
}
