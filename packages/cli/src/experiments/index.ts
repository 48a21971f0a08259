import { MultigradError, nearestName } from '@multigrad/core/strategy';
import type { Experiment } from '@multigrad/experiment';
import { avDigitsMmtm } from './builtin/av-digits-mmtm.ts';
import { avDigitsTransformer } from './builtin/av-digits-transformer.ts';
import { avDigits } from './builtin/av-digits.ts';
import { cgMnist } from './builtin/cg-mnist.ts';
import { cremaD } from './builtin/crema-d.ts';
import { fashionAndDigit } from './builtin/fashion-and-digit.ts';
import { mfeat } from './builtin/mfeat.ts';
import { multiMnist, multiMnistNoisy } from './builtin/multi-mnist.ts';
import { nutrimouse } from './builtin/nutrimouse.ts';
import { penguins } from './builtin/penguins.ts';
import { scenes } from './builtin/scenes.ts';
import { solarFlare } from './builtin/solar-flare.ts';
import { yeast } from './builtin/yeast.ts';

/** The experiments that come with the program, in the order of its help. */
export const experiments: readonly Experiment[] = [
  cgMnist,
  avDigits,
  avDigitsTransformer,
  avDigitsMmtm,
  multiMnist,
  multiMnistNoisy,
  fashionAndDigit,
  scenes,
  penguins,
  mfeat,
  nutrimouse,
  solarFlare,
  yeast,
  cremaD,
];

/** The experiment of a name that comes with the program, or undefined where this version has none. */
export function findExperiment(name: string): Experiment | undefined {
  return experiments.find((experiment) => experiment.name === name);
}

/**
 * The experiment of a name that comes with the program.
 *
 * @throws MultigradError `invalid-argument` with the nearest name where there is none
 */
export function requireExperiment(name: string): Experiment {
  const experiment = findExperiment(name);
  if (experiment) return experiment;
  const names = experiments.map((one) => one.name);
  const near = nearestName(name, names);
  throw new MultigradError(
    'invalid-argument',
    `There is no experiment \`${name}\`.${near === undefined ? '' : ` Did you mean \`${near}\`?`} Known: ${names.join(', ')}.`,
  );
}
