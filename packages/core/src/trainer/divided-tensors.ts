import type { TrainerState } from './snapshot.ts';

/** The name of the variable that a snapshot's tensor is a slice for; null for what every rank has whole. */
export function variableBehind(
  name: string,
  { memory }: Pick<TrainerState, 'memory'>,
): string | null {
  const rest = slotVariable(name) ?? '';
  if (name.startsWith('optimizer/')) return slotVariable(rest);
  if (name.startsWith('average/')) return rest;
  if (name.startsWith('memory/')) return memory[Number(rest)]?.variable ?? null;
  return null;
}

/** The name of the variable in the name of a slot, `slot/variable`. */
export function slotVariable(slot: string): string | null {
  const end = slot.indexOf('/');
  return end < 0 ? null : slot.slice(end + 1);
}

/**
 * The tensors of a whole snapshot that ranks divide: optimizer slots, averages and memory of the shape of their variable.
 *
 * @param shapes - of all tensors of the snapshot, by name
 * @returns the shapes of those that are divided, by name
 */
export function dividedTensors(
  state: Pick<TrainerState, 'memory'>,
  shapes: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, readonly number[]> {
  return new Map(
    Array.from(shapes).filter(([name, shape]) => {
      const variable = variableBehind(name, state);
      return variable !== null && shapes.get(`weights/${variable}`)?.join() === shape.join();
    }),
  );
}
