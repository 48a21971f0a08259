import { repository, version } from '../shared/version.ts';
import type { BibtexEntry } from './bibtex.ts';

/** The entry of multigrad itself; CITATION.cff says the same. */
export const frameworkEntry: BibtexEntry = {
  type: 'misc',
  key: 'multigrad',
  fields: {
    title:
      '{multigrad: gradient integration for training with several objectives, on TensorFlow.js}',
    author: '{The multigrad contributors}',
    note: `Version ${version}`,
    url: repository,
  },
};
