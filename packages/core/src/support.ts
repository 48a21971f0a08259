/**
 * What the packages of multigrad share among themselves: values in messages, errors of files, options of strategies as
 * texts, Shapley values. Strategies and training programs need nothing of it, and it may change in any version.
 *
 * @packageDocumentation
 */
export {
  type Functional,
  functionalOf,
  interactionFunctional,
  shapleyFunctional,
  sizeOf,
  valueOf,
} from './algebra/shapley.ts';
export { describeValue } from './base/describe-value.ts';
export { ioError, isMissing } from './base/io-error.ts';
export { differencesOfRanks } from './base/json-differences.ts';
export { checkKnownOptions, type OptionNames } from './base/known-options.ts';
export { didYouMean, listNames } from './base/nearest-name.ts';
export { assertOptionSpec } from './plugin/options-check.ts';
export { describeOption, optionDefault } from './plugin/options-resolve.ts';
export { optionsFromText } from './plugin/options-text.ts';
export { fromEach, fromRoot } from './ranks/work-of-ranks.ts';
export { dividedTensors } from './trainer/divided-tensors.ts';
