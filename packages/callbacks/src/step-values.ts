import type { GroupReport, StepReport } from '@multigrad/core';

/** The numbers of one group at one step, by tag: norms, cosines, weights, conflict and the strategy's own. */
export function groupValues(group: GroupReport): Map<string, number> {
  const { key, objectives, norms, cosines, weights, conflict, diagnostics = {} } = group;
  const values = new Map<string, number>();
  objectives.forEach((name, i) => {
    values.set(`weight/${key}/${name}`, weights[i]!);
    if (norms !== null) values.set(`norm/${key}/${name}`, norms[i]!);
    for (const [j, other] of objectives.entries()) {
      if (cosines !== null && j > i) values.set(`cosine/${key}/${name} ${other}`, cosines[i]![j]!);
    }
  });
  if (conflict !== null && objectives.length > 1) values.set(`conflict/${key}`, Number(conflict));
  for (const [name, value] of Object.entries(diagnostics)) values.set(`${name}/${key}`, value);
  return values;
}

/** The losses and metrics of one step, by tag. */
export function stepValues({ losses, metrics }: StepReport): Map<string, number> {
  const values = new Map<string, number>();
  for (const [name, loss] of Object.entries(losses)) {
    if (loss !== undefined) values.set(`loss/${name}`, loss);
  }
  for (const [name, own] of Object.entries(metrics)) {
    for (const [metric, value] of Object.entries(own ?? {})) values.set(`${metric}/${name}`, value);
  }
  return values;
}
