import { csvLine } from '@multigrad/callbacks';
import { own } from '@multigrad/core/strategy';
import type { ContributionRecord } from '../runs/contribution-record.ts';
import type { RunRecord } from '../runs/records.ts';

const heading = [
  ...['strategy', 'seed', 'lr', 'epoch', 'masks', 'class', 'samples', 'modality'],
  ...['contribution', 'standard_error', 'low', 'high', 'joint', 'chance', 'gain', 'drop', 'rho'],
];

/** Every contribution that was measured, as shares from 0 to 1, all classes together and each of them; null where none was. */
export function contributionCsv(runs: readonly RunRecord[]): string | null {
  const lines = runs.flatMap(({ strategy, seed, lr, epochs }) =>
    epochs.flatMap(({ epoch, contribution }) =>
      contribution === undefined
        ? []
        : rowsOf(contribution).map((row) => [strategy, seed, lr, epoch, ...row]),
    ),
  );
  return lines.length === 0 ? null : [heading, ...lines].map(csvLine).join('');
}

function rowsOf(record: ContributionRecord): (string | number)[][] {
  const sets = [
    { label: 'all' as const, ...record },
    ...record.byClass.map((figures) => ({ ...figures })),
  ];
  return sets.flatMap(({ label, samples, joint, chance, contributions }) =>
    record.modalities.map((name) => {
      const { value, standardError, low, high } = own(contributions, name)!;
      const whole =
        label === 'all'
          ? [record.gains, record.drops].map((figures) => own(figures, name)!.value)
          : ['', ''];
      return [
        ...[record.masks, label, samples, name],
        ...[value, standardError ?? '', low ?? '', high ?? '', joint, chance],
        ...[...whole, label === 'all' ? own(record.imbalance, name)! : ''],
      ];
    }),
  );
}
