import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { crc32 } from 'node:zlib';
import { createTarGzip } from 'nanotar';
import type { Pins } from '../tensorflow/install/pins.ts';
import type { TriedBuild } from '../tensorflow/install/try-build.ts';

/** Programs that stand in for those that an installation calls. They do what a test needs, and record each call. */
export interface FakeTools {
  readonly environment: Record<string, string>;
  readonly pins: Pins;
  /** Replaces what pip delivers for a requirement. */
  readonly putWheel: (requirement: string, files: Readonly<Record<string, string>>) => Buffer;
  /** Makes a program unavailable. */
  readonly remove: (program: string) => void;
  /** Puts a program on the path. `body` is a script for Node. */
  readonly write: (program: string, body: string) => void;
  /** The calls so far, program and arguments. */
  readonly calls: () => string[][];
  readonly tryBuild: () => Promise<TriedBuild>;
}

/** The files in a wheel of TensorFlow, as far as an installation reads them. */
export const wheelFiles: Readonly<Record<string, string>> = {
  'tensorflow/libtensorflow_cc.so.2': 'library '.repeat(100),
  'tensorflow/libtensorflow_framework.so.2': 'framework',
  'tensorflow/include/tensorflow/c/eager/c_api.h': '// header',
  'tensorflow/python/unused.py': 'pass',
  'tensorflow-9.9.dist-info/METADATA':
    'Name: tensorflow\nRequires-Dist: numpy>=1\n' +
    'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5; extra == "and-cuda"\n',
};

const packages = ['@tensorflow/tfjs-node', 'google-protobuf', 'node-api-headers'];

/** Makes the programs npm, python3 and c++ in a folder, and pins with the hashes of what they deliver. */
export async function fakeTools(folder: string): Promise<FakeTools> {
  const [bin, store] = [join(folder, 'bin'), join(folder, 'store')];
  const log = join(folder, 'calls.jsonl');
  mkdirSync(bin);
  mkdirSync(store);
  // The programs are CommonJS, whatever a package.json in a folder above says.
  writeFileSync(join(bin, 'package.json'), '{}');
  const write = (program: string, body: string): void => {
    const record = `require('node:fs').appendFileSync(${JSON.stringify(log)}, JSON.stringify([${JSON.stringify(program)}, ...process.argv.slice(2)]) + '\\n');`;
    const prelude = `const fs = require('node:fs'); const args = process.argv.slice(2); const store = ${JSON.stringify(store)};`;
    writeFileSync(join(bin, program), `#!${process.execPath}\n${record}\n${prelude}\n${body}\n`);
    chmodSync(join(bin, program), 0o755);
  };
  const putWheel = (requirement: string, files: Readonly<Record<string, string>>): Buffer => {
    const bytes = zip(files);
    writeFileSync(join(store, `${encodeURIComponent(requirement)}.whl`), bytes);
    return bytes;
  };
  const pinned: Pins['packages'][number][] = [];
  for (const name of packages) {
    const archive = await createTarGzip([
      { name: 'package/package.json', data: JSON.stringify({ name, version: '1.2.3' }) },
      { name: 'package/binding/tfjs_backend.cc', data: '// source' },
    ]);
    const file = `${name.replace('@', '').replace('/', '-')}-1.2.3.tgz`;
    writeFileSync(join(store, file), archive);
    const hash = createHash('sha512').update(archive).digest('base64');
    pinned.push({ name, version: '1.2.3', integrity: `sha512-${hash}` });
  }
  write(
    'npm',
    `if (args[0] !== 'pack') process.exit(0);
const filename = args[1].replace(/^@/, '').replace('/', '-').replace('@', '-') + '.tgz';
fs.copyFileSync(store + '/' + filename, args[args.indexOf('--pack-destination') + 1] + '/' + filename);
console.log(JSON.stringify([{ filename }]));`,
  );
  write(
    'python3',
    `if (!args.includes('download')) process.exit(0);
const requirement = args.at(-1);
const name = requirement.split(/[=<>]/)[0].replaceAll('-', '_');
fs.copyFileSync(store + '/' + encodeURIComponent(requirement) + '.whl', args[args.indexOf('--dest') + 1] + '/' + name + '-9.9.whl');`,
  );
  write(
    'c++',
    `if (args[0] === '--version') { console.log('fake compiler 1\\nmore'); process.exit(0); }
for (const arg of args) if (arg.startsWith('-I') && !fs.existsSync(arg.slice(2))) console.error(arg + ' is not there');
fs.writeFileSync(args[args.indexOf('-o') + 1], 'addon');`,
  );
  const pin = (
    requirement: string,
    files: Readonly<Record<string, string>>,
  ): Pins['wheels'][number] => {
    const wheel = putWheel(requirement, files);
    const sha256 = createHash('sha256').update(wheel).digest('hex');
    return { requirement, arch: process.arch, sha256, bytes: wheel.length };
  };
  const cuda = { 'nvidia/cublas/lib/libcublas.so.12': 'cuda' };
  // The wheel that pip chooses where none is pinned.
  putWheel('nvidia-cublas-cu12<13.0,>=12.5', cuda);
  return {
    environment: { PATH: bin },
    pins: {
      packages: pinned,
      tensorflow: '9.9',
      wheels: [
        pin('tensorflow-cpu==9.9', wheelFiles),
        pin('tensorflow==9.9', wheelFiles),
        pin('nvidia-cublas-cu12==12.6', cuda),
      ],
      room: { cpu: 1e6, gpu: 1e6 },
    },
    putWheel,
    remove: (program) => chmodSync(join(bin, program), 0o644),
    write,
    calls: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as string[])
        : [],
    tryBuild: () => Promise.resolve({ tensorflow: '9.9', gpu: false }),
  };
}

/** A zip file of uncompressed entries. */
export function zip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const [title, data] = [Buffer.from(name), Buffer.from(text)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, title, data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, tail, title]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(centrals.length, 8);
  end.writeUInt16LE(centrals.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
