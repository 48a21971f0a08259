import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The objects that a program printed, one a line. */
export function jsonLines(output: string): unknown[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as unknown);
}

/** The ranks that a launcher started on this machine, by the program that they run. */
export function ranksBelow(launcher: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status)![1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  return [...parents.keys()].filter((pid) => {
    try {
      return parents.get(pid) === launcher && /\/node\b/.test(readlinkSync(`/proc/${pid}/exe`));
    } catch {
      return false;
    }
  });
}
