// The wire format of protocol buffers, as far as TensorBoard's messages need it: each field is a key, its number and
// wire type in one varint, followed by its value.
const varintType = 0;
const doubleType = 1;
const bytesType = 2;
const floatType = 5;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  // Numbers reach beyond the 32 bits of shifts.
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

function key(field: number, type: number): Buffer {
  return varint(field * 8 + type);
}

/** A field with a whole number, 0 to 2⁵³. */
export function integerField(field: number, value: number): Buffer {
  return Buffer.concat([key(field, varintType), varint(value)]);
}

/** A field of 64 bits. */
export function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([key(field, doubleType), bytes]);
}

/** A field of 32 bits. */
export function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, floatType), bytes]);
}

/** A field with text, or with a message of its own. */
export function bytesField(field: number, value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([key(field, bytesType), varint(bytes.length), bytes]);
}

/** A field with many numbers of 64 bits, one after another. */
export function doublesField(field: number, values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, index) => bytes.writeDoubleLE(value, 8 * index));
  return bytesField(field, bytes);
}
