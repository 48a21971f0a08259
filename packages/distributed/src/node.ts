/**
 * Ranks as processes: how a program finds the ranks it was started among, and how they are started. For Node alone.
 *
 * @packageDocumentation
 */
export { launcherOf, openRanks, type OpenRanksOptions } from './open-ranks.ts';
export { launch, type LaunchOptions } from './tcp/launch.ts';
export { tcp, type TcpOptions } from './tcp/tcp.ts';
