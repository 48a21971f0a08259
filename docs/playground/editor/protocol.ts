// What the page and the worker that runs a program say to each other.

/** From the page to the worker: run this program. */
export interface Command {
  readonly kind: 'run';
  /** TypeScript or JavaScript. */
  readonly source: string;
}

export type Level = 'log' | 'warn' | 'error';

/** From the worker to the page. */
export type News =
  | { readonly kind: 'loading'; readonly module: string }
  | { readonly kind: 'running' }
  | { readonly kind: 'print'; readonly level: Level; readonly text: string }
  /** One step of the curves: a number for each name. */
  | { readonly kind: 'plot'; readonly values: Readonly<Record<string, number>> }
  | { readonly kind: 'ended' }
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** From 1; null where the browser does not tell. */
      readonly line: number | null;
    };

/** Programs are stopped after so many seconds. */
export const longest = 60;
