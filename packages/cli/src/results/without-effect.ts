import type { EpochRecord, RunRecord } from '../runs/records.ts';
import { parseRunLabel } from '../runs/run-label.ts';

/**
 * The labels whose balancing method changed nothing: in every run that has a run without the method beside it, all losses and
 * metrics of all epochs are the same. Some methods begin in a later epoch, or need options.
 */
export function withoutEffect(runs: readonly RunRecord[]): string[] {
  const labels = [...new Set(runs.map(({ strategy }) => strategy))];
  return labels.filter((label) => {
    const { strategy, balance } = parseRunLabel(label);
    if (balance === null) return false;
    const pairs = runs.flatMap((run) => {
      if (run.strategy !== label || run.epochs.length === 0) return [];
      const plain = runs.find(
        (one) => one.strategy === strategy && one.seed === run.seed && one.lr === run.lr,
      );
      return plain === undefined || plain.epochs.length === 0 ? [] : [[run, plain] as const];
    });
    return pairs.length > 0 && pairs.every(([run, plain]) => figures(run) === figures(plain));
  });
}

/** All that a run measured of losses and metrics, as text. */
function figures({ epochs }: RunRecord): string {
  const measured = ({ train, validation, test }: EpochRecord): unknown => [
    inOrder(train),
    inOrder(validation ?? {}),
    inOrder(test),
  ];
  return JSON.stringify(epochs.map(measured));
}

const inOrder = (record: Readonly<Record<string, unknown>>): unknown =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
