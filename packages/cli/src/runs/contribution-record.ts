import type { ModalityContributions } from '@multigrad/models';
import { byName, count, fields, list, measured, oneOf, type Shape, text } from './shape.ts';

/** What each modality contributed to the joint prediction on the test set after an epoch. */
export interface ContributionRecord extends ModalityContributions<string> {
  /** What stood in the place of a modality that was left out: zeros, its mean over the training set, or its learnt token. */
  readonly masks: 'zero' | 'mean' | 'token';
}

const mean = { value: measured, standardError: measured, low: measured, high: measured };
const means = byName(fields(mean));
const figures = { samples: count, joint: measured, chance: measured, contributions: means };

/** The shape of a {@link ContributionRecord}. */
export const contributionShape: Shape = fields({
  ...figures,
  masks: oneOf(['zero', 'mean', 'token']),
  modalities: list(text),
  value: text,
  classes: count,
  coalitions: list(fields({ seen: list(text), value: measured })),
  drops: means,
  gains: means,
  interactions: list(fields({ pair: list(text, 2), ...mean })),
  cooperation: fields(mean),
  imbalance: byName(measured),
  byClass: list(fields({ ...figures, label: count })),
} satisfies Record<keyof ContributionRecord, Shape>);
