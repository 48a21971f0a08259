import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import { without } from '../option-specs.ts';
import { crossStitch, type CrossStitchOptions } from './cross-stitch.ts';
import { dselectK, type DselectKOptions } from './dselect-k.ts';
import { hardSharing } from './hard.ts';
import { ltb, type LtbOptions } from './ltb.ts';
import { mmoe, type MmoeOptions } from './mmoe.ts';
import { mtan, type MtanOptions } from './mtan.ts';
import { ple, type PleOptions } from './ple.ts';
import type { SharedBody, SharingSetting } from './shared-body.ts';

/**
 * How tasks share parts of a network:
 *
 * - `hard`: one trunk
 * - `cross-stitch`: a trunk for each task, mixed channel by channel behind the stages named by `after`
 * - `mmoe`: several trunks as experts, and a gate for each task
 * - `dselect-k`: the same with gates that select a few experts
 * - `ple`: experts of all and of each task, in levels, and gates
 * - `mtan`: one trunk, and for each task a mask on its features behind the stages named by `after`
 * - `ltb`: a trunk for each task, which behind the stages named by `after` goes on from the trunk that it chooses
 */
export type Sharing =
  | 'hard'
  | 'mmoe'
  | 'dselect-k'
  | 'ple'
  | { readonly kind: 'hard' }
  | ({ readonly kind: 'cross-stitch' } & CrossStitchOptions)
  | ({ readonly kind: 'mmoe' } & MmoeOptions)
  | ({ readonly kind: 'dselect-k' } & DselectKOptions)
  | ({ readonly kind: 'ple' } & PleOptions)
  | ({ readonly kind: 'mtan' } & MtanOptions)
  | ({ readonly kind: 'ltb' } & LtbOptions);

/** The shared part that options describe. @throws MultigradError `invalid-option` */
export function makeSharing(given: Sharing, setting: SharingSetting): SharedBody {
  const sharing = typeof given === 'string' ? { kind: given } : given;
  switch (sharing.kind) {
    case 'hard':
      return hardSharing(setting);
    case 'cross-stitch':
      return crossStitch(setting, without(sharing, 'kind'));
    case 'mmoe':
      return mmoe(setting, without(sharing, 'kind'));
    case 'dselect-k':
      return dselectK(setting, without(sharing, 'kind'));
    case 'ple':
      return ple(setting, without(sharing, 'kind'));
    case 'mtan':
      return mtan(setting, without(sharing, 'kind'));
    case 'ltb':
      return ltb(setting, without(sharing, 'kind'));
    default:
      throw new MultigradError(
        'invalid-option',
        "Option `sharing` of `multiTaskNetwork` should be 'hard', 'mmoe', 'dselect-k', 'ple' or an object whose `kind` is one " +
          `of these or 'cross-stitch', 'mtan', 'ltb'. Found ${describeValue(given)}.`,
      );
  }
}
