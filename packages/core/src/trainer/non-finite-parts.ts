import type { Tensor } from '@tensorflow/tfjs-core';
import { startChecks } from '../rows/finite-checks.ts';
import { readTogether } from '../tape/read-back.ts';
import { TensorBag } from '../tape/ownership.ts';

/**
 * The tensors that hold NaN or an infinity, each in a few words: `weight \`x\``.
 *
 * @param parts - tensors by name, for each kind by the word that messages use
 */
export async function nonFiniteOf(
  parts: Readonly<Record<string, ReadonlyMap<string, Tensor>>>,
): Promise<readonly string[]> {
  const named = Object.entries(parts).flatMap(([what, tensors]) =>
    Array.from(tensors)
      .filter(([, { dtype }]) => dtype === 'float32')
      .map(([name, tensor]) => ({ name: `${what} \`${name}\``, tensor })),
  );
  const bag = new TensorBag();
  try {
    const checks = startChecks(
      named,
      named.map(({ tensor }) => tensor),
      bag,
    );
    return checks.broken(await readTogether(checks.packed));
  } finally {
    bag.dispose();
  }
}
