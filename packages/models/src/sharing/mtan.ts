import { MultigradError } from '@multigrad/core/strategy';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { placesByStream } from '../exchanges/exchange.ts';
import { stageEnds, stagesOf } from '../exchanges/stages.ts';
import { Doubled } from '../layers/doubled.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';
import { type SharedBody, type SharingSetting, taken } from './shared-body.ts';

/** Options of sharing by attention modules. */
export interface MtanOptions {
  /** The stages whose features each task attends to, by name, one or more. */
  readonly after: readonly string[];
}

/**
 * The multi-task attention network: one trunk, and for each task a soft mask on the features of some of its stages,
 * `â_j = a_j ⊙ p_j` with `a_j = σ(BN(h(ReLU(BN(g([u_j; f(â_(j−1))]))))))`.
 *
 * `p_j` are the features behind the j-th stage of `after`, `u_j` those before it. g and h are 1×1 convolutions (dense layers
 * on vectors), as wide as `p_j`; f, which tasks share, is a 3×3 convolution (a dense layer) to that width, with batch norm and
 * a ReLU. Where sizes differ features are max-pooled, or doubled where they are to grow. What the trunk has behind the last stage of `after` goes on from
 * each task's own features.
 *
 * @remarks
 * Stages of any trunk take the place of the blocks of the paper's SegNet and of LibMTL's ResNet. LibMTL's f is a residual block
 * of that ResNet; all else computes the same, which `tests/peers` checks.
 *
 * @see Liu, Johns and Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019
 * (https://arxiv.org/abs/1803.10704), equations 1 and 2
 */
export function mtan(setting: SharingSetting, { after, ...rest }: MtanOptions): SharedBody {
  const [odd] = Object.keys(rest);
  if (odd !== undefined) {
    throw new MultigradError(
      'invalid-option',
      `Option \`sharing\` of kind 'mtan' should have \`after\` alone. Found \`${odd}\`.`,
    );
  }
  const { tasks, trunk, seed, initialisation } = setting;
  const shared = trunk('trunk');
  const { trunk: places } = placesByStream('sharing', ['trunk'], after);
  const stages = stagesOf(shared);
  const ends = stageEnds('sharing', shared, stages, places!);
  const apply = (from: number, to: number, x: SymbolicTensor): SymbolicTensor =>
    chain(
      x,
      stages.slice(from, to).map(({ layer }) => layer),
    );
  return (input) => {
    let features = input;
    let at = 0;
    let attended = new Map<string, SymbolicTensor>();
    ends.forEach((end, j) => {
      const before = apply(at, end - 1, features);
      features = apply(end - 1, end, before);
      at = end;
      const make = new SeededLayers(`attention${j + 1}`, seed, initialisation);
      attended = attend(make, tasks, before, features, attended);
    });
    const vectors = tasks.map((task): [string, SymbolicTensor] => [
      task,
      taken(task, apply(at, stages.length, attended.get(task)!), setting),
    ]);
    return { features: Object.fromEntries(vectors) };
  };
}

/** The features of each task at one stage, from the shared ones before and behind it and its own of the stage below. */
function attend(
  make: SeededLayers,
  tasks: readonly string[],
  before: SymbolicTensor,
  behind: SymbolicTensor,
  below: ReadonlyMap<string, SymbolicTensor>,
): Map<string, SymbolicTensor> {
  const width = behind.shape.at(-1)!;
  const pointwise = (layer: string, x: SymbolicTensor, activation: 'relu' | 'sigmoid') =>
    chain(x, [
      make.dense(layer, x.shape.at(-1)!, width),
      make.norm(`${layer}/norm`),
      layers.activation({ name: make.name(`${layer}/${activation}`), activation }),
    ]);
  const isMap = behind.shape.length === 4;
  const shared = resized(make, 'before', before, behind);
  const through = isMap
    ? make.convolution('next', below.get(tasks[0]!)?.shape.at(-1) ?? 1, {
        filters: width,
        kernelSize: 3,
      })
    : make.dense('next', below.get(tasks[0]!)?.shape.at(-1) ?? 1, width);
  const [norm, relu] = [make.norm('next/norm'), make.relu('next/relu')];
  return new Map(
    tasks.map((task) => {
      const own = below.get(task);
      let seen = shared;
      if (own !== undefined) {
        const next = resized(make, task, chain(own, [through, norm, relu]), behind);
        const join = layers.concatenate({ name: make.name(`${task}/join`), axis: -1 });
        seen = join.apply([shared, next]) as SymbolicTensor;
      }
      const squeezed = pointwise(`${task}/squeeze`, seen, 'relu');
      const mask = pointwise(`${task}/mask`, squeezed, 'sigmoid');
      const product = layers.multiply({ name: make.name(`${task}/attended`) });
      return [task, product.apply([mask, behind]) as SymbolicTensor];
    }),
  );
}

/**
 * Features doubled or max-pooled to the height and width of others.
 *
 * @throws MultigradError `unsupported` where that can't be done
 */
function resized(
  make: SeededLayers,
  layer: string,
  features: SymbolicTensor,
  like: SymbolicTensor,
): SymbolicTensor {
  const to = like.shape.slice(1, -1);
  let x = features;
  for (let round = 1; x.shape.length === 4 && x.shape[1]! * 2 <= (to[0] ?? 0); round += 1) {
    x = new Doubled({ name: make.name(`${layer}/double${round}`) }).apply(x) as SymbolicTensor;
  }
  const from = x.shape.slice(1, -1);
  if (String(from) === String(to)) return x;
  const strides = from.map((size, axis) => Math.ceil(size! / to[axis]!));
  const fits =
    x.shape.length === 4 &&
    like.shape.length === 4 &&
    from.every((size, axis) => Math.ceil(size! / strides[axis]!) === to[axis]);
  if (!fits) {
    throw new MultigradError(
      'unsupported',
      'Attention modules should stand at stages that take and return vectors, or maps of a height and width that can be ' +
        'doubled or pooled to each other. ' +
        `Found [${features.shape.slice(1).join(', ')}] and [${like.shape.slice(1).join(', ')}].`,
    );
  }
  const [height, width] = strides as [number, number];
  const pool = layers.maxPooling2d({
    name: make.name(`${layer}/pool`),
    poolSize: [height, width],
    strides: [height, width],
    padding: 'same',
  });
  return pool.apply(x) as SymbolicTensor;
}
