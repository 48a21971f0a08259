import type { GradientStrategy, TensorColumns } from '@multigrad/core/strategy';
import { alignedMtl } from '@multigrad/strategy-aligned-mtl';
import { cagrad } from '@multigrad/strategy-cagrad';
import { conflictFree } from '@multigrad/strategy-conflict-free';
import { dualproj } from '@multigrad/strategy-dualproj';
import { fairgrad } from '@multigrad/strategy-fairgrad';
import { imtlG } from '@multigrad/strategy-imtl-g';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { nashMtl } from '@multigrad/strategy-nash-mtl';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { upgrad } from '@multigrad/strategy-upgrad';

/** A strategy that the playground offers. */
export interface OfferedStrategy {
  /** As it stands in the address of a view. */
  readonly id: string;
  readonly title: string;
  /** Angle on the colour wheel, in degrees. */
  readonly hue: number;
  readonly make: () => GradientStrategy;
  /** How the two coordinates fall into tensors. */
  readonly tensors: readonly TensorColumns[];
}

const together: readonly TensorColumns[] = [{ name: 'plane', size: 2 }];
const apart: readonly TensorColumns[] = [
  { name: 'x', size: 1 },
  { name: 'y', size: 1 },
];

const offer = (
  id: string,
  title: string,
  hue: number,
  make: () => GradientStrategy,
  tensors = together,
): OfferedStrategy => ({ id, title, hue, make, tensors });

/** All that see gradients through their inner products and remember nothing that would need a history to be fair. */
export const offeredStrategies: readonly OfferedStrategy[] = [
  offer('sum', 'Sum', 255, sum),
  offer('mmpareto', 'MMPareto', 30, mmpareto),
  offer('mmpareto-tensor', 'MMPareto, tensor', 70, () => mmpareto({ rescale: 'tensor' }), apart),
  offer('pcgrad', 'PCGrad', 150, () => pcgrad({ seed: 1 })),
  offer('mgda', 'MGDA', 325, mgda),
  offer('upgrad', 'UPGrad', 200, upgrad),
  offer('cagrad', 'CAGrad', 105, cagrad),
  offer('imtl-g', 'IMTL-G', 350, imtlG),
  offer('aligned-mtl', 'Aligned-MTL', 290, alignedMtl),
  offer('nash-mtl', 'Nash-MTL', 10, nashMtl),
  offer('dualproj', 'DualProj', 130, dualproj),
  offer('conflict-free', 'ConFIG', 225, conflictFree),
  offer('fairgrad', 'FairGrad', 50, fairgrad),
];

/** The offered strategies of these names, in the order in which they are offered. */
export const strategiesNamed = (ids: readonly string[]): OfferedStrategy[] =>
  offeredStrategies.filter(({ id }) => ids.includes(id));
