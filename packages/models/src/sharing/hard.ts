import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type SharedBody, type SharingSetting, taken } from './shared-body.ts';

/** Hard parameter sharing: one trunk, whose features every task's head takes (Caruana, "Multitask Learning", 1997). */
export function hardSharing(setting: SharingSetting): SharedBody {
  const { tasks, trunk } = setting;
  const shared = trunk('trunk');
  return (input) => {
    const z = taken(shared.name, shared.apply(input) as SymbolicTensor, setting);
    return {
      features: Object.fromEntries(tasks.map((task): [string, SymbolicTensor] => [task, z])),
    };
  };
}
