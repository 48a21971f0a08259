import type { MultimodalNetwork } from '@multigrad/models';
import type { Experiment } from './experiment.ts';

interface Trained {
  readonly trainableVariables: MultimodalNetwork<string, string>['trainableVariables'];
  readonly namedVariables: MultimodalNetwork<string, string>['namedVariables'];
  readonly parts: Experiment['parts'];
  dispose(): void;
}

/** What an experiment says of its network: its variables and statistics by name, its parts, and how it is freed. */
export function trainedParts(
  network: Trained,
): Pick<Experiment, 'variables' | 'statistics' | 'parts'> & { dispose(): void } {
  const trained = new Set(network.trainableVariables);
  const all = [...network.namedVariables];
  return {
    variables: new Map(all.filter(([, variable]) => trained.has(variable))),
    statistics: new Map(all.filter(([, variable]) => !trained.has(variable))),
    parts: network.parts,
    dispose: () => network.dispose(),
  };
}
