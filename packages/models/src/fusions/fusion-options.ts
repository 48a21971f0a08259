import { resolveOptions } from '@multigrad/core/strategy';
import { countOption, weightOptions, type WeightOptions } from '../option-specs.ts';
import { SeededLayers } from '../weights/seeded-layers.ts';

/** The maker of a fusion's layers, from its options. @throws MultigradError `invalid-option` */
export function resolveWeights(owner: string, name: string, given: WeightOptions): SeededLayers {
  const { seed, initialisation } = resolveOptions(owner, weightOptions, given);
  return new SeededLayers(name, seed, initialisation);
}

/** The length of a fused vector: what was asked for, or the longest of the inputs. @throws MultigradError `invalid-option` */
export function fusedWidth(
  owner: string,
  features: number | undefined,
  inputs: Readonly<Record<string, number>>,
): number {
  const specs = {
    features: countOption('Length of the fused vector', Math.max(...Object.values(inputs))),
  };
  return resolveOptions(owner, specs, features === undefined ? {} : { features }).features;
}
