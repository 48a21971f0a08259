import { inspect, registerConstructor } from 'loupe';
import type { Tensor } from '@tensorflow/tfjs-core';
import { modules } from './modules.ts';
import { handingOn, lineOfError, prepare, ProgramError, withAddresses } from './prepare.ts';
import type { Command, Level, News } from './protocol.ts';

// Runs a program, off the page's thread. Each program has a worker of its own, which the page ends.

const tell = (news: News): void => postMessage(news);

/** Under which name of the global object the loaded modules stand. */
const shelf = 'modulesOfThePage';
const loaded = new Map<string, Readonly<Record<string, unknown>>>();
Object.assign(globalThis, { [shelf]: loaded });

const blobOf = (code: string): string =>
  URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));

const shown = (value: unknown): string =>
  typeof value === 'string' ? value : inspect(value, { truncate: 2000 });

/** What the program prints goes to the page, too. */
function listen(): void {
  const levels = { log: 'log', info: 'log', debug: 'log', warn: 'warn', error: 'error' } as const;
  for (const [name, level] of Object.entries(levels) as [keyof typeof levels, Level][]) {
    console[name] = (...values: unknown[]) =>
      tell({ kind: 'print', level, text: values.map(shown).join(' ') });
  }
  console.table = console.log;
}

/** Draws a step of curves: a number, or a tensor of one, for each name. */
function plot(values: Readonly<Record<string, unknown>>): void {
  const numbers = Object.entries(values).map(([name, value]) => {
    if (typeof value !== 'number')
      throw new TypeError(
        `plot(values) expects a number for each name. Found ${shown(value)} for ${name}.`,
      );
    return [name, value] as const;
  });
  tell({ kind: 'plot', values: Object.fromEntries(numbers) });
}

async function run(source: string): Promise<void> {
  const program = prepare(source, [...modules.keys()]);
  const addresses = new Map<string, string>();
  for (const { module } of program.imports) {
    if (addresses.has(module)) continue;
    tell({ kind: 'loading', module });
    const namespace = await modules.get(module)!();
    loaded.set(module, namespace);
    if (module === '@tensorflow/tfjs-core')
      registerConstructor(namespace['Tensor'] as never, (tensor) => (tensor as Tensor).toString());
    addresses.set(module, blobOf(handingOn(shelf, module, Object.keys(namespace))));
  }
  const address = blobOf(withAddresses(program, (module) => addresses.get(module)!));
  Object.assign(globalThis, { plot });
  listen();
  tell({ kind: 'running' });
  /** Where in the program something failed. */
  const fail = (error: unknown): void => {
    const { message, stack } = error instanceof Error ? error : new Error(shown(error));
    const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
    tell({ kind: 'failed', message: name + message, line: lineOfError(stack ?? '', address) });
  };
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    fail(event.reason);
  });
  addEventListener('error', (event) => {
    event.preventDefault();
    fail(event.error ?? new Error(event.message));
  });
  try {
    await import(/* @vite-ignore */ address);
  } catch (error) {
    fail(error);
    return;
  }
  tell({ kind: 'ended' });
}

onmessage = ({ data }: MessageEvent<Command>): void => {
  run(data.source).catch((error: unknown) => {
    const line = error instanceof ProgramError ? error.line : null;
    tell({
      kind: 'failed',
      message: error instanceof Error ? error.message : String(error),
      line,
    });
  });
};
