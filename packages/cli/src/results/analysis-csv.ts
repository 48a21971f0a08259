import { csvLine } from '@multigrad/callbacks';
import type { RunRecord } from '../runs/records.ts';

/** The tables of an analysis by file name, with plain numbers; null where no run was analysed. */
export function analysisCsv(
  runs: readonly RunRecord[],
): Readonly<Record<'cosines.csv' | 'gradients.csv' | 'landscape.csv', string>> | null {
  const analysed = runs.filter(({ analysis }) => analysis.length > 0);
  if (analysed.length === 0) return null;
  const table = (
    heading: readonly string[],
    rows: (run: RunRecord) => readonly (readonly (string | number)[])[],
  ): string =>
    [
      ['strategy', 'seed', ...heading],
      ...analysed.flatMap((run) => rows(run).map((row) => [run.strategy, run.seed, ...row])),
    ]
      .map(csvLine)
      .join('');
  return {
    'cosines.csv': table(['step', 'group', 'first', 'second', 'cosine'], stepCosines),
    'gradients.csv': table(
      [
        'epoch',
        'part',
        'objective',
        'norm',
        'norm_sd',
        'norm_of_mean',
        'covariance_trace',
        'batches',
      ],
      gradients,
    ),
    'landscape.csv': table(['objective', 'a', 'b', 'loss'], landscapes),
  };
}

/** Cosines of the sampled training steps, each pair once. */
function stepCosines({ steps }: RunRecord): (string | number)[][] {
  return steps.flatMap(({ step, groups }) =>
    groups.flatMap(({ key, objectives, cosines }) =>
      (cosines ?? []).flatMap((row, i) =>
        row.flatMap((cosine, j) =>
          j > i ? [[step, key, objectives[i]!, objectives[j]!, cosine]] : [],
        ),
      ),
    ),
  );
}

function gradients({ analysis }: RunRecord): (string | number)[][] {
  return analysis.flatMap((record) =>
    record.kind === 'gradients'
      ? record.parts.flatMap(({ part, objectives }) =>
          objectives.map(({ objective, norm, normDeviation, meanNorm, covarianceTrace }) => [
            record.epoch,
            part,
            objective,
            norm,
            normDeviation,
            meanNorm,
            covarianceTrace,
            record.batches,
          ]),
        )
      : [],
  );
}

function landscapes({ analysis }: RunRecord): (string | number)[][] {
  return analysis.flatMap((record) =>
    record.kind === 'landscape'
      ? Object.entries(record.losses).flatMap(([objective, rows]) =>
          rows.flatMap((row, j) =>
            row.map((loss, i) => [objective, record.coordinates[i]!, record.coordinates[j]!, loss]),
          ),
        )
      : [],
  );
}
