export { trimmedMean, type TrimmedMeanOptions } from './trimmed-mean.ts';
export { plugin } from './plugin.ts';
