export { plugin } from './plugin.ts';
export {
  randomGradientWeighting,
  type RandomGradientWeightingOptions,
} from './random-gradient-weighting.ts';
