import { type OptionSpecs, resolveOptions } from '@multigrad/core/strategy';
import { countOption, initialisationOption, seedOption } from '../option-specs.ts';
import type { Initialisation } from '../weights/initialisation.ts';
import { SeededLayers } from '../weights/seeded-layers.ts';

/** The options that every fusion with weights has. */
export interface WeightOptions {
  readonly seed?: number;
  readonly initialisation?: Initialisation;
}

const weightSpecs: OptionSpecs<WeightOptions> = {
  seed: seedOption,
  initialisation: initialisationOption,
};

/** The maker of a fusion's layers, from its options. @throws MultigradError `invalid-option` */
export function resolveWeights(owner: string, name: string, given: WeightOptions): SeededLayers {
  const { seed, initialisation } = resolveOptions(owner, weightSpecs, given);
  return new SeededLayers(name, seed, initialisation);
}

/** The length of a fused vector: what was asked for, or the longest of the inputs. @throws MultigradError `invalid-option` */
export function fusedWidth(
  owner: string,
  features: number | undefined,
  inputs: Readonly<Record<string, number>>,
): number {
  const specs: OptionSpecs<{ features?: number }> = {
    features: countOption('Length of the fused vector', Math.max(...Object.values(inputs))),
  };
  return resolveOptions(owner, specs, features === undefined ? {} : { features }).features;
}
