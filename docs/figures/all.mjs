import { figures as conflict } from './conflict.mjs';
import { figures as gamma } from './gamma.mjs';
import { figures as groups } from './groups.mjs';
import { figures as jacobian } from './jacobian.mjs';
import { figures as results } from './results.mjs';
import { figures as valleys } from './valleys.mjs';

/** The text of every figure, by name. */
export async function drawAll() {
  const figures = {
    ...conflict,
    ...gamma,
    ...jacobian,
    ...results,
    ...valleys,
    ...(await groups()),
  };
  return new Map(
    Object.entries(figures).map(([name, { title, draw }]) => [
      name,
      draw().toString(typeof title === 'function' ? title() : title),
    ]),
  );
}
