import type { WriteStream } from 'node:tty';
import type { Files } from '@multigrad/core/files';

/** What a command has around it: where it writes, where it stands, and what can stop it. */
export interface Environment {
  /** Standard output as a terminal, or null where it is a file or a pipe. */
  readonly terminal: WriteStream | null;
  /** Writes a line of results or progress. */
  readonly print: (line: string) => void;
  /** Writes a line that is no result: errors and their help. */
  readonly complain: (line: string) => void;
  /** The folder that paths are relative to. */
  readonly folder: string;
  /** Aborted when the user interrupts, or nobody is there any longer; the reason is a text. */
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
