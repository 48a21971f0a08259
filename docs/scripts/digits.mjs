import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { readMnist } from '@multigrad/datasets';

// The digits that the playground trains with: the first ones of MNIST, as four IDX files one after the other, compressed.

const sizes = { train: 3000, test: 500 };
const side = 28;

function idx(values, ...shape) {
  const header = Buffer.alloc(4 + 4 * shape.length);
  // Bytes are of type 8.
  header.writeUInt32BE(0x800 + shape.length);
  shape.forEach((size, d) => header.writeUInt32BE(size, 4 + 4 * d));
  const length = shape.reduce((product, size) => product * size, 1);
  return Buffer.concat([header, values.subarray(0, length)]);
}

/** Writes the sample. */
export async function writeDigits(file) {
  const mnist = await readMnist();
  const files = Object.entries(sizes).flatMap(([which, count]) => [
    idx(mnist[which].images, count, side, side),
    idx(mnist[which].labels, count),
  ]);
  writeFileSync(file, gzipSync(Buffer.concat(files), { level: 9 }));
}
