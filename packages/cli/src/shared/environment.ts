import type { WriteStream } from 'node:tty';
import type { Files } from '@multigrad/core/files';

/** What a command gets from its process: where it prints, the folder that paths are relative to, and what can stop it. */
export interface Environment {
  /** Standard output as a terminal, or null where it is a file or a pipe. */
  readonly terminal: WriteStream | null;
  /** Writes a line of results or progress. */
  readonly print: (line: string) => void;
  /** Writes a line to the errors, which are kept apart from results. */
  readonly complain: (line: string) => void;
  /** The folder that paths are relative to. */
  readonly folder: string;
  /** Aborted when the user interrupts, the terminal is closed or the output cannot be written; the reason is a text. */
  readonly signal: AbortSignal;
  /** Where output folders are kept. @defaultValue the file system of this machine */
  readonly files?: Files;
  /**
   * Draws a chart of a report, given as a Vega-Lite specification, as SVG; `prefix` stands before every id within it.
   *
   * @defaultValue Vega
   */
  readonly draw?: (specification: object, prefix: string) => Promise<string>;
}

/** The words for why a command was interrupted. */
export function interruptionOf({ reason }: AbortSignal): string {
  return typeof reason === 'string' ? `Interrupted, ${reason}` : 'Interrupted';
}
