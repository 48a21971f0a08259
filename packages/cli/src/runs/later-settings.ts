import { own } from '@multigrad/core/strategy';
import type { Settings } from './settings.ts';

const withoutTokens: Settings = { 'modality-dropout': 0 };
const concatenated: Settings = { ...withoutTokens, fusion: 'concatenation' };

/**
 * By experiment that comes along, the settings that it got after folders and checkpoints had been written without them, each
 * with the value that has the effect of its absence.
 */
const laterSettings: Readonly<Record<string, Settings>> = {
  'av-digits': concatenated,
  'av-digits-mmtm': concatenated,
  'av-digits-transformer': { ...withoutTokens, fusion: 'cross-attention' },
  'cg-mnist': concatenated,
  'crema-d': withoutTokens,
  mfeat: withoutTokens,
};

/** The settings that were read from a folder or a checkpoint, with those that its experiment has had since; the order stays. */
export function withLaterSettings(experiment: string, settings: Settings): Settings {
  const later = Object.entries(own(laterSettings, experiment) ?? {});
  const lacking = later.filter(([name]) => own(settings, name) === undefined);
  return { ...settings, ...Object.fromEntries(lacking) };
}
