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
import { type StrategyStyle, strategyStyles } from '../../../packages/cli/src/report/palette.ts';

/** A strategy that the playground offers. */
export interface OfferedStrategy {
  /** As it stands in the address of a view. */
  readonly id: string;
  readonly title: string;
  /** As reports of comparisons draw it. */
  readonly style: StrategyStyle;
  readonly make: () => GradientStrategy;
  /** How the two coordinates fall into tensors. */
  readonly tensors: readonly TensorColumns[];
}

const together: readonly TensorColumns[] = [{ name: 'plane', size: 2 }];
const apart: readonly TensorColumns[] = [
  { name: 'x', size: 1 },
  { name: 'y', size: 1 },
];

type Offer = Omit<OfferedStrategy, 'style'>;

const offer = (
  id: string,
  title: string,
  make: () => GradientStrategy,
  tensors = together,
): Offer => ({ id, title, make, tensors });

const offers: readonly Offer[] = [
  offer('sum', 'Sum', sum),
  offer('mmpareto', 'MMPareto', mmpareto),
  offer('mmpareto-tensor', 'MMPareto, tensor', () => mmpareto({ rescale: 'tensor' }), apart),
  offer('pcgrad', 'PCGrad', () => pcgrad({ seed: 1 })),
  offer('mgda', 'MGDA', mgda),
  offer('upgrad', 'UPGrad', upgrad),
  offer('cagrad', 'CAGrad', cagrad),
  offer('imtl-g', 'IMTL-G', imtlG),
  offer('aligned-mtl', 'Aligned-MTL', alignedMtl),
  offer('nash-mtl', 'Nash-MTL', nashMtl),
  offer('dualproj', 'DualProj', dualproj),
  offer('conflict-free', 'ConFIG', conflictFree),
  offer('fairgrad', 'FairGrad', fairgrad),
];
// Names of this page's own are told as a report would name them.
const styles = strategyStyles(
  offers.map(({ id }) => (id === 'mmpareto-tensor' ? 'mmpareto:rescale=tensor' : id)),
);

/** All that see gradients through their inner products and remember nothing that would need a history to be fair. */
export const offeredStrategies: readonly OfferedStrategy[] = offers.map((one, index) => ({
  ...one,
  style: styles[index]!,
}));

/** A strategy's colours as variables of a style sheet, which takes one of them by the reader's light or dark mode. */
export const colourVariables = ({
  style,
}: Pick<OfferedStrategy, 'style'>): Readonly<Record<string, string>> => ({
  '--light': style.colour,
  '--words': style.words,
  '--dark': style.dark,
});

/** The offered strategies of these names, in the order in which they are offered. */
export const strategiesNamed = (ids: readonly string[]): OfferedStrategy[] =>
  offeredStrategies.filter(({ id }) => ids.includes(id));
