import type { StrategyPlugin } from '@multigrad/core/strategy';
import { plugins as scalarizations } from '@multigrad/scalarization';
import { plugin as imtlG } from '@multigrad/strategy-imtl-g';
import { plugin as alignedMtl } from '@multigrad/strategy-aligned-mtl';
import { plugin as conflictFree } from '@multigrad/strategy-conflict-free';
import { plugin as edm } from '@multigrad/strategy-edm';
import { plugin as gradvac } from '@multigrad/strategy-gradvac';
import { plugin as randomGradientWeighting } from '@multigrad/strategy-random-gradient-weighting';
import { plugin as krum } from '@multigrad/strategy-krum';
import { plugin as upgrad } from '@multigrad/strategy-upgrad';
import { plugin as dualproj } from '@multigrad/strategy-dualproj';
import { plugin as cagrad } from '@multigrad/strategy-cagrad';
import { plugin as nashMtl } from '@multigrad/strategy-nash-mtl';
import { plugin as fairgrad } from '@multigrad/strategy-fairgrad';
import { plugin as dbMtl } from '@multigrad/strategy-db-mtl';
import { plugin as moco } from '@multigrad/strategy-moco';
import { plugin as modo } from '@multigrad/strategy-modo';
import { plugin as sdmgrad } from '@multigrad/strategy-sdmgrad';
import { plugin as graddrop } from '@multigrad/strategy-graddrop';
import { plugin as trimmedMean } from '@multigrad/strategy-trimmed-mean';
import { plugin as gradnorm } from '@multigrad/strategy-gradnorm';
import { plugin as mgda } from '@multigrad/strategy-mgda';
import { plugin as mmpareto } from '@multigrad/strategy-mmpareto';
import { plugin as pcgrad } from '@multigrad/strategy-pcgrad';
import { plugin as sum } from '@multigrad/strategy-sum';

import { plugin as epo } from '@multigrad/strategy-epo';

import { plugin as excessMtl } from '@multigrad/strategy-excess-mtl';
import { plugin as pmgda } from '@multigrad/strategy-pmgda';

import { plugin as ferero } from '@multigrad/strategy-ferero';

import { plugin as pcd } from '@multigrad/strategy-pcd';

/** The strategies that come with this program, in the order of listings. */
export const builtinPlugins: readonly StrategyPlugin[] = [
  sum,
  mmpareto,
  pcgrad,
  mgda,
  imtlG,
  alignedMtl,
  conflictFree,
  edm,
  gradvac,
  randomGradientWeighting,
  krum,
  upgrad,
  dualproj,
  cagrad,
  nashMtl,
  fairgrad,
  dbMtl,
  moco,
  modo,
  sdmgrad,
  graddrop,
  trimmedMean,
  gradnorm,
  epo,
  excessMtl,
  pmgda,
  ferero,
  pcd,
  ...scalarizations,
];

/** The package that a strategy of this program comes from, and its folder's name. */
export function packageOf(name: string): { readonly name: string; readonly folder: string } {
  const folder = scalarizations.some((plugin) => plugin.name === name)
    ? 'scalarization'
    : `strategy-${name}`;
  return { name: `@multigrad/${folder}`, folder };
}
