import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { SeededLayers } from '../weights/seeded-layers.ts';
import { flat, gatedMixture } from './gate.ts';
import { assertVectors, type SharedBody, type SharingSetting, vectorOf } from './shared-body.ts';

/** Descriptions of the options of progressive layered extraction. */
const pleOptions = {
  /** Levels of extraction, an integer >= 1; one level is customized gate control. @defaultValue 2 */
  levels: {
    kind: 'number',
    default: 2,
    minimum: 1,
    integer: true,
    description: 'Levels of extraction, an integer >= 1.',
  },
  /** Number of experts at each level that all tasks share, an integer >= 1. @defaultValue 1 */
  shared: {
    kind: 'number',
    default: 1,
    minimum: 1,
    integer: true,
    description: 'Experts of all tasks at each level, an integer >= 1.',
  },
  /** Number of experts at each level that belong to one task, an integer >= 1. @defaultValue 1 */
  own: {
    kind: 'number',
    default: 1,
    minimum: 1,
    integer: true,
    description: 'Experts of each task at each level, an integer >= 1.',
  },
} as const;

/** Options of progressive layered extraction. */
export interface PleOptions extends OptionsOf<typeof pleOptions> {}

/**
 * Progressive layered extraction: at each level experts of all tasks and experts of each task; task k's gate mixes its own
 * experts and the shared ones, `z_k = Σ_e g_ke f_e`, and the shared gate, below the last level, mixes all of them.
 *
 * The experts of the first level are trunks on the input; further up they are dense layers with a ReLU, as wide as the
 * trunk's vector, on what the gate below yields. A gate is a softmax of a linear map of what its experts take (of the
 * flattened input at the first level).
 *
 * @see Tang, Liu, Zhao and Gong, "Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL) Model for
 * Personalized Recommendations", RecSys 2020, section 4
 */
export function ple(setting: SharingSetting, options: PleOptions): SharedBody {
  const { levels, shared, own } = resolveOptions('ple', pleOptions, options);
  assertVectors('ple', setting);
  const { tasks, trunk, seed, initialisation } = setting;
  const owners = ['shared', ...tasks.map((task) => `task/${task}`)];
  const countOf = (owner: string): number => (owner === 'shared' ? shared : own);
  const trunks = new Map(
    owners.map((owner) => [
      owner,
      Array.from({ length: countOf(owner) }, (_, e) => trunk(`level1/${owner}/expert${e + 1}`)),
    ]),
  );
  return (input) => {
    let below = new Map<string, SymbolicTensor>();
    for (let level = 1; level <= levels; level++) {
      const make = new SeededLayers(`level${level}`, seed, initialisation);
      const expertsOf = (owner: string): SymbolicTensor[] =>
        level === 1
          ? trunks.get(owner)!.map((expert) => vectorOf(expert, input))
          : Array.from({ length: countOf(owner) }, (_, e) => {
              const x = below.get(owner)!;
              const width = x.shape[1]!;
              const expert = make.dense(`${owner}/expert${e + 1}`, width, width, 'relu');
              return expert.apply(x) as SymbolicTensor;
            });
      const experts = new Map(owners.map((owner) => [owner, expertsOf(owner)]));
      const x = level === 1 ? flat(make, input) : null;
      // The shared gate of the last level would feed nothing.
      const gates = level === levels ? owners.slice(1) : owners;
      below = new Map(
        gates.map((owner) => {
          const mixed =
            owner === 'shared'
              ? [...experts.values()].flat()
              : [...experts.get(owner)!, ...experts.get('shared')!];
          return [owner, gatedMixture(make, `${owner}/gate`, x ?? below.get(owner)!, mixed)];
        }),
      );
    }
    const vectors = tasks.map((task): [string, SymbolicTensor] => [
      task,
      below.get(`task/${task}`)!,
    ]);
    return { features: Object.fromEntries(vectors) };
  };
}
