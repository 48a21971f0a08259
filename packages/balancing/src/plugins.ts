import type { BalancingPlugin } from './contract/plugin.ts';
import { plugin as agm } from './methods/agm.ts';
import { plugin as arl } from './methods/arl.ts';
import { plugin as cml } from './methods/cml.ts';
import { plugin as dataRemixing } from './methods/data-remixing.ts';
import { plugin as dgl } from './methods/dgl.ts';
import { plugin as g2d } from './methods/g2d.ts';
import { plugin as gBlending } from './methods/g-blending.ts';
import { plugin as greedy } from './methods/greedy.ts';
import { plugin as inforeg } from './methods/inforeg.ts';
import { plugin as lfm } from './methods/lfm.ts';
import { plugin as mla } from './methods/mla.ts';
import { plugin as mmcosine } from './methods/mmcosine.ts';
import { plugin as mses } from './methods/mses.ts';
import { plugin as mslr } from './methods/mslr.ts';
import { plugin as ogmGe } from './methods/ogm-ge.ts';
import { plugin as opm } from './methods/opm.ts';
import { plugin as pmr } from './methods/pmr.ts';
import { plugin as reconboost } from './methods/reconboost.ts';
import { plugin as relearning } from './methods/relearning.ts';
import { plugin as sampleValuation } from './methods/sample-valuation.ts';
import { plugin as umt } from './methods/umt.ts';

/** The plugins of all methods of this package, in the order of listings. */
export const plugins: readonly BalancingPlugin[] = [
  ogmGe,
  agm,
  pmr,
  gBlending,
  greedy,
  mslr,
  mses,
  opm,
  mmcosine,
  cml,
  lfm,
  umt,
  inforeg,
  dgl,
  mla,
  reconboost,
  relearning,
  sampleValuation,
  arl,
  dataRemixing,
  g2d,
];
