import { runCommandLine } from '../command-line.ts';

/** How a call of the command line ended, and what it printed. */
export interface Call {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Calls the command line in this process, without a terminal. @param folder - what paths are relative to */
export async function callCommandLine(folder: string, args: readonly string[]): Promise<Call> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCommandLine([...args], {
    terminal: null,
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
    folder,
    signal: new AbortController().signal,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}
