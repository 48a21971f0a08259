import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type SharedBody, type SharingSetting, vectorOf } from './shared-body.ts';

/** Hard parameter sharing: one trunk, whose vector every task's head takes (Caruana, "Multitask Learning", 1997). */
export function hardSharing({ tasks, trunk }: SharingSetting): SharedBody {
  const shared = trunk('trunk');
  return (input) => {
    const z = vectorOf(shared, input);
    return {
      features: Object.fromEntries(tasks.map((task): [string, SymbolicTensor] => [task, z])),
    };
  };
}
