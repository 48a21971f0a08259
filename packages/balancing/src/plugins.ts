import type { BalancingPlugin } from './contract/plugin.ts';
import { plugin as ogmGe } from './methods/ogm-ge.ts';

/** The plugins of all methods of this package, in the order of listings. */
export const plugins: readonly BalancingPlugin[] = [ogmGe];
