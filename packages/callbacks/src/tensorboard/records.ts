import { maskedCrc32c } from './crc32c.ts';

// A TFRecord: length (uint64), checksum of the length, data, checksum of the data; all little-endian.
const headerSize = 12;
const footerSize = 4;

/** One record around some bytes. */
export function encodeRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(headerSize + data.length + footerSize);
  record.writeBigUInt64LE(BigInt(data.length));
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  record.set(data, headerSize);
  record.writeUInt32LE(maskedCrc32c(data), headerSize + data.length);
  return record;
}

/** The content of a file of records. */
export interface Records {
  /** The data of each whole record, as views. */
  readonly data: readonly Buffer[];
  /** Where the last whole record ends. */
  readonly end: number;
  /**
   * What follows the last whole record: nothing, a record that was not written whole, or bytes with a wrong checksum.
   */
  readonly rest: 'nothing' | 'half' | 'damaged';
}

/** Reads records up to the end or to the first that is not whole and sound. */
export function decodeRecords(bytes: Buffer): Records {
  const data: Buffer[] = [];
  let end = 0;
  for (;;) {
    const left = bytes.length - end;
    if (left === 0) return { data, end, rest: 'nothing' };
    if (left < headerSize) return { data, end, rest: 'half' };
    const head = bytes.subarray(end, end + 8);
    if (bytes.readUInt32LE(end + 8) !== maskedCrc32c(head)) return { data, end, rest: 'damaged' };
    const length = head.readBigUInt64LE();
    if (length > BigInt(left - headerSize - footerSize)) return { data, end, rest: 'half' };
    const begin = end + headerSize;
    const body = bytes.subarray(begin, begin + Number(length));
    if (bytes.readUInt32LE(begin + body.length) !== maskedCrc32c(body)) {
      return { data, end, rest: 'damaged' };
    }
    data.push(body);
    end = begin + body.length + footerSize;
  }
}
