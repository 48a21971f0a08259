import type { Tensor } from '@tensorflow/tfjs-core';

/** A shape as text for messages: `[2, 3]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** Lists how tensors differ in name, shape or type from those expected, a sentence each. */
export function tensorDifferences(
  what: string,
  found: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, Tensor>,
): string[] {
  const differences: string[] = [];
  for (const [name, { shape, dtype }] of expected) {
    const other = found.get(name);
    if (other === undefined) differences.push(`${what} \`${name}\` is missing`);
    else if (shapeText(other.shape) !== shapeText(shape) || other.dtype !== dtype) {
      differences.push(
        `${what} \`${name}\` is ${other.dtype} ${shapeText(other.shape)}, expected ${dtype} ${shapeText(shape)}`,
      );
    }
  }
  for (const name of found.keys()) {
    if (!expected.has(name)) differences.push(`${what} \`${name}\` is not known here`);
  }
  return differences;
}
