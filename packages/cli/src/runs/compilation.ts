import type { CompilationReport } from '@multigrad/core';

/** Before the first step. */
export const noCompilation: CompilationReport = {
  ...{ replayed: 0, recorded: 0, plain: {}, changed: null },
};

/** The backward passes of two parts of a run, or of two runs; why the latest plan was made is the second's where it says so. */
export function addCompilation(
  first: CompilationReport,
  second: CompilationReport,
): CompilationReport {
  const plain = new Map(Object.entries(first.plain));
  for (const [reason, count] of Object.entries(second.plain))
    plain.set(reason, (plain.get(reason) ?? 0) + count);
  return {
    replayed: first.replayed + second.replayed,
    recorded: first.recorded + second.recorded,
    plain: Object.fromEntries(plain),
    changed: second.changed ?? first.changed,
  };
}

/** How backward passes were made, in words: `596 by a plan, 4 noted for one, 12 plain (12: kernels are profiled)`. */
export function compilationText({ replayed, recorded, plain }: CompilationReport): string {
  const reasons = Object.entries(plain);
  const inPlainWay = reasons.reduce((sum, [, count]) => sum + count, 0);
  const why = reasons.map(([reason, count]) => `${count}: ${reason}`).join('; ');
  return [
    `${replayed} by a plan`,
    `${recorded} noted for one`,
    reasons.length === 0 ? '0 plain' : `${inPlainWay} plain (${why})`,
  ].join(', ');
}
