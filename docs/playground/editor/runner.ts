import { own } from '@multigrad/core/strategy';
import { type Command, type Level, longest, type News } from './protocol.ts';

/** A line that a program printed, or that the page says of it. */
export interface Line {
  readonly level: Level | 'page';
  readonly text: string;
}

/** Lines kept; a program that prints without end would fill the page. */
const mostLines = 500;
/** Steps of curves kept. */
const mostSteps = 20_000;

/** What is known of a program that runs or ran. */
export interface Course {
  readonly phase: 'idle' | 'loading' | 'running' | 'ended' | 'failed' | 'stopped';
  /** What the page says of it, in a sentence. */
  readonly said: string;
  readonly lines: readonly Line[];
  /** For each name the numbers, step by step. */
  readonly curves: ReadonlyMap<string, readonly (number | null)[]>;
  /** Steps drawn so far. */
  readonly steps: number;
  readonly fault: { readonly message: string; readonly line: number } | null;
}

/** Before a program runs. */
export const noCourse: Course = {
  phase: 'idle',
  said: '',
  lines: [],
  curves: new Map(),
  steps: 0,
  fault: null,
};

/** The course with one more step of curves; names that the step lacks have no number there. */
function drawn(course: Course, values: Readonly<Record<string, number>>): Course {
  if (course.steps >= mostSteps) return course;
  const names = new Set([...course.curves.keys(), ...Object.keys(values)]);
  const curves = new Map(
    Array.from(names, (name): [string, (number | null)[]] => {
      const before = (course.curves.get(name) ?? []) as (number | null)[];
      while (before.length < course.steps) before.push(null);
      const value = own(values, name);
      before.push(value !== undefined && Number.isFinite(value) ? value : null);
      return [name, before];
    }),
  );
  return { ...course, curves, steps: course.steps + 1 };
}

/** The course after some news of the worker. */
export function afterNews(course: Course, news: News): Course {
  switch (news.kind) {
    case 'loading':
      return { ...course, phase: 'loading', said: `Loading ${news.module}.` };
    case 'running':
      return { ...course, phase: 'running', said: 'Running.' };
    case 'print': {
      if (course.lines.length > mostLines) return course;
      const line: Line =
        course.lines.length < mostLines
          ? { level: news.level, text: news.text }
          : { level: 'page', text: `More than ${mostLines} lines: the rest is left out.` };
      return { ...course, lines: [...course.lines, line] };
    }
    case 'plot':
      return drawn(course, news.values);
    case 'ended':
      return { ...course, phase: 'ended', said: 'The program has ended.' };
    case 'failed': {
      const where = news.line === null ? '' : `Line ${news.line}: `;
      return {
        ...course,
        phase: 'failed',
        said: 'The program failed.',
        lines: [...course.lines, { level: 'error', text: where + news.message }],
        fault: news.line === null ? null : { message: news.message, line: news.line },
      };
    }
  }
}

/** The course of a program that was stopped, by the reader or because it took too long. */
export const stopped = (course: Course, why: 'reader' | 'time'): Course => ({
  ...course,
  phase: 'stopped',
  said:
    why === 'reader'
      ? 'Stopped.'
      : `Stopped: programs in this page may run for ${longest} seconds. On your machine there is no such limit.`,
});

/**
 * Runs a program in a worker of its own, until it ends, fails, or has run for too long.
 *
 * @returns what stops it
 */
export function runProgram(
  source: string,
  change: (next: (course: Course) => Course) => void,
): () => void {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const timer = setTimeout(() => {
    worker.terminate();
    change((course) => stopped(course, 'time'));
  }, longest * 1000);
  const end = (): void => {
    clearTimeout(timer);
    worker.terminate();
  };
  worker.onmessage = ({ data }: MessageEvent<News>) => {
    if (data.kind === 'ended' || data.kind === 'failed') end();
    change((course) => afterNews(course, data));
  };
  worker.onerror = ({ message }) => {
    end();
    const why = message || 'The worker could not be loaded.';
    change((course) => afterNews(course, { kind: 'failed', message: why, line: null }));
  };
  change(() => ({ ...noCourse, phase: 'loading', said: 'Loading.' }));
  worker.postMessage({ kind: 'run', source } satisfies Command);
  return end;
}
