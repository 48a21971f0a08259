/** One instruction of a wasm binary: its first byte and, where that is a prefix, the number behind it. */
export interface Instruction {
  readonly opcode: number;
  readonly sub: number;
}

/** The code of a wasm binary, as far as tests read it. */
export interface WasmCode {
  /** The instructions of each function that is not imported. */
  readonly functions: readonly (readonly Instruction[])[];
  /** The functions that are called by address, as indices into `functions`. */
  readonly inTable: readonly number[];
}

/** Reads the instructions of a wasm binary with the extensions that our kernels use: SIMD, bulk memory, threads. */
export function readWasm(bytes: Uint8Array): WasmCode {
  const reader = new Reader(bytes, 8);
  const functions: Instruction[][] = [];
  const inTable: number[] = [];
  let imported = 0;
  while (!reader.ended) {
    const section = reader.byte();
    const size = reader.integer();
    const end = reader.at + size;
    if (section === 2) imported = countImportedFunctions(reader);
    if (section === 9) inTable.push(...readElements(reader).map((index) => index - imported));
    if (section === 10) {
      for (let left = reader.integer(); left > 0; left -= 1) functions.push(readFunction(reader));
    }
    reader.at = end;
  }
  return { functions, inTable };
}

class Reader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  get ended(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw new RangeError('The wasm binary ends too early.');
    this.at += 1;
    return byte;
  }

  /** Reads an unsigned number. A signed one can be skipped this way, since it has the same length. */
  integer(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  skipName(): void {
    const length = this.integer();
    this.at += length;
  }

  /** Skips a given count of numbers. */
  skip(numbers: number): void {
    for (let left = numbers; left > 0; left -= 1) this.integer();
  }
}

function countImportedFunctions(reader: Reader): number {
  let count = 0;
  for (let left = reader.integer(); left > 0; left -= 1) {
    reader.skipName();
    reader.skipName();
    const kind = reader.byte();
    if (kind === 0) {
      reader.integer();
      count += 1;
    } else if (kind === 2) {
      const flags = reader.byte();
      reader.skip((flags & 1) === 1 ? 2 : 1);
    } else {
      throw new RangeError(`An import of kind ${kind} is not expected.`);
    }
  }
  return count;
}

/** Reads the active segments of functions for the only table. */
function readElements(reader: Reader): number[] {
  const found: number[] = [];
  for (let left = reader.integer(); left > 0; left -= 1) {
    if (reader.integer() !== 0) throw new RangeError('A segment of another kind is not expected.');
    readInstruction(reader);
    readInstruction(reader);
    for (let count = reader.integer(); count > 0; count -= 1) found.push(reader.integer());
  }
  return found;
}

function readFunction(reader: Reader): Instruction[] {
  const size = reader.integer();
  const end = reader.at + size;
  for (let left = reader.integer(); left > 0; left -= 1) {
    reader.integer();
    reader.byte();
  }
  const instructions: Instruction[] = [];
  while (reader.at < end) instructions.push(readInstruction(reader));
  if (reader.at !== end) throw new RangeError('A function ends within an instruction.');
  return instructions;
}

function readInstruction(reader: Reader): Instruction {
  const opcode = reader.byte();
  const sub = opcode >= 0xfc && opcode <= 0xfe ? reader.integer() : 0;
  if (opcode === 0xfc) reader.skip([0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1][sub]!);
  else if (opcode === 0xfd) skipOfSimd(reader, sub);
  else if (opcode === 0xfe) reader.skip(sub === 3 ? 1 : 2);
  else skipOfPlain(reader, opcode);
  return { opcode, sub };
}

function skipOfPlain(reader: Reader, opcode: number): void {
  const within = (first: number, last: number): boolean => opcode >= first && opcode <= last;
  // Block, loop, if, branches, call, locals, globals, tables, size of memory, constants, references.
  const one = within(2, 4) || within(0x0c, 0x0d) || opcode === 0x10 || within(0x20, 0x26);
  if (one || within(0x3f, 0x42) || opcode === 0xd0 || opcode === 0xd2) reader.integer();
  else if (opcode === 0x11 || within(0x28, 0x3e)) reader.skip(2);
  else if (opcode === 0x0e) reader.skip(reader.integer() + 1);
  else if (opcode === 0x1c) reader.skip(reader.integer());
  else if (opcode === 0x43) reader.at += 4;
  else if (opcode === 0x44) reader.at += 8;
}

function skipOfSimd(reader: Reader, sub: number): void {
  const lane = (sub >= 21 && sub <= 34) || (sub >= 84 && sub <= 91);
  if (sub <= 11 || (sub >= 84 && sub <= 93)) reader.skip(2);
  if (sub === 12 || sub === 13) reader.at += 16;
  if (lane) reader.at += 1;
}
