import type { Modulation } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { Variable } from '@tensorflow/tfjs-core';
import { entry } from '../support/by-name.ts';
import type { BalancedNetwork } from '../contract/network.ts';
import type { PartModulations } from '../contract/method.ts';

/** The trainable variables of each part that a method may modulate, with their names in every run. */
export type Parts = ReadonlyMap<string, ReadonlyMap<Variable, string>>;

/** The parts of a network: its encoders by modality, `head/<objective>`, and `fusion` for the rest. */
export function partsOf(network: BalancedNetwork): Parts {
  const names = new Map(Array.from(network.namedVariables, ([name, one]) => [one, name]));
  const left = new Set(network.trainableVariables);
  const take = (variables: readonly Variable[]): ReadonlyMap<Variable, string> => {
    const own = variables.filter((variable) => left.delete(variable));
    return new Map(own.map((variable) => [variable, names.get(variable) ?? variable.name]));
  };
  const parts = new Map<string, ReadonlyMap<Variable, string>>();
  for (const modality of network.modalities)
    parts.set(modality, take(entry(network.parts, modality)));
  for (const objective of network.objectiveNames) {
    const weights = entry(network.heads, objective).weights.map((weight) => weight.read());
    parts.set(
      `head/${objective}`,
      take(weights.filter((weight): weight is Variable => weight instanceof Variable)),
    );
  }
  return parts.set('fusion', take([...left]));
}

/**
 * What a method does to parts, variable by variable.
 *
 * @throws MultigradError `invalid-argument` for a part that the network has not
 */
export function modulationsOf(
  method: string,
  modulated: PartModulations,
  parts: Parts,
): Map<Variable, Modulation | null> {
  return new Map(
    Object.entries(modulated).flatMap(([part, modulation]) => {
      const variables = parts.get(part);
      if (variables === undefined) {
        throw new MultigradError(
          'invalid-argument',
          `\`modulate\` of \`${method}\` should name parts of the network: ${[...parts.keys()].join(', ')}. Found \`${part}\`.`,
        );
      }
      return Array.from(variables, ([variable, name]): [Variable, Modulation | null] => {
        if (modulation === null) return [variable, null];
        const { change, ...factors } = modulation;
        const own =
          change === undefined
            ? {}
            : { change: (g: Parameters<typeof change>[0]) => change(g, name, variable) };
        return [variable, { ...factors, ...own }];
      });
    }),
  );
}
