export { modo, type ModoOptions, type ModoState } from './modo.ts';
export { plugin } from './plugin.ts';
