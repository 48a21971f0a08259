import type { MultimodalNetwork } from '@multigrad/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Experiment } from './experiment.ts';

interface Trained {
  readonly trainableVariables: MultimodalNetwork<string, string>['trainableVariables'];
  readonly namedVariables: MultimodalNetwork<string, string>['namedVariables'];
  readonly parts: Experiment['parts'];
  readonly model: LayersModel;
  readonly heads: Readonly<Record<string, LayersModel>>;
  /** Of networks with several modalities. */
  readonly encoders?: Readonly<Record<string, LayersModel>>;
  readonly fusion?: LayersModel;
  /** Of networks with several tasks. */
  readonly trunks?: readonly LayersModel[];
  dispose(): void;
}

/** What an experiment says of its network: its variables and statistics by name, its parts, and how it is freed. */
export function trainedParts(
  network: Trained,
): Pick<Experiment, 'variables' | 'statistics' | 'parts' | 'models'> & { dispose(): void } {
  const trained = new Set(network.trainableVariables);
  const all = [...network.namedVariables];
  return {
    variables: new Map(all.filter(([, variable]) => trained.has(variable))),
    statistics: new Map(all.filter(([, variable]) => !trained.has(variable))),
    parts: network.parts,
    models: modelsOf(network),
    dispose: () => network.dispose(),
  };
}

function modelsOf({
  model,
  encoders = {},
  fusion,
  trunks = [],
  heads,
}: Trained): Experiment['models'] {
  const named = (
    kind: string,
    models: Readonly<Record<string, LayersModel>>,
  ): Experiment['models'] =>
    Object.fromEntries(Object.entries(models).map(([name, one]) => [`${kind}-${name}`, one]));
  return {
    network: model,
    ...named('encoder', encoders),
    ...(trunks.length === 1
      ? { trunk: trunks[0]! }
      : named('trunk', Object.fromEntries(trunks.map((trunk, k) => [k, trunk])))),
    ...(fusion === undefined ? {} : { fusion }),
    ...named('head', heads),
  };
}
