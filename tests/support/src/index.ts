export { expectConstantMemory } from './memory.ts';
