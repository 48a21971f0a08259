export { modo, type MoDoOptions, type MoDoState } from './modo.ts';
export { plugin } from './plugin.ts';
