import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeTools, fakeTools, wheelFiles, zip } from '../../testing/fake-tools.ts';
import { findNativeBuilds, type NativeBuild } from '../native-build.ts';
import { checkPlatform, installPinned, type InstallNativeOptions } from './install-native.ts';
import type { Pins } from './pins.ts';
import { prepareLibraries } from './prepare-libraries.ts';
import { nativeSteps } from './progress.ts';

let folder: string;
let cache: string;
let tools: FakeTools;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-native-'));
  cache = join(folder, 'cache');
  tools = await fakeTools(folder);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const install = (
  options: InstallNativeOptions = {},
  pins: Partial<Pins> = {},
): Promise<NativeBuild> =>
  installPinned(
    { ...tools.pins, ...pins },
    { folder: cache, environment: tools.environment, ...options },
    tools.tryBuild,
  );

const downloads = (): string[] =>
  tools.calls().flatMap((call) => (call.includes('download') ? [call.at(-1)!] : []));

describe('installNative', () => {
  it('fetches, checks, compiles, tries and puts the build in place', async () => {
    const steps = new Set<string>();
    const build = await install({ onProgress: ({ step }) => steps.add(step) });
    expect(build).toMatchObject({
      device: 'cpu',
      tensorflow: '9.9',
      gpu: false,
      compiler: 'fake compiler 1',
    });
    expect(build.ingredients.map(({ name }) => name)).toEqual([
      '@tensorflow/tfjs-node@1.2.3',
      'google-protobuf@1.2.3',
      'node-api-headers@1.2.3',
      'tensorflow_cpu-9.9.whl',
    ]);
    expect([...steps].sort()).toEqual([...nativeSteps].sort());
    expect(findNativeBuilds(cache)).toEqual([build]);
    // Nothing else is left behind, and nothing that is not needed was unpacked.
    expect(readdirSync(cache)).toEqual([build.folder.split('/').at(-1)]);
    for (const file of [
      'addon/tfjs_binding.node',
      'tensorflow/libtensorflow_cc.so.2',
      'tensorflow/include/tensorflow/c/eager/c_api.h',
      'node_modules/@tensorflow/tfjs-node/package.json',
      'node_modules/@tensorflow/tfjs/index.js',
      'node_modules/@tensorflow/tfjs-core/index.js',
    ]) {
      expect(existsSync(join(build.folder, file)), file).toBe(true);
    }
    expect(existsSync(join(build.folder, 'tensorflow/python'))).toBe(false);
  });

  it('leaves what is there alone, unless it is forced', async () => {
    const build = await install();
    const calls = tools.calls().length;
    expect(await install()).toEqual(build);
    expect(tools.calls()).toHaveLength(calls);
    expect(await install({ force: true })).toEqual(build);
    expect(downloads()).toHaveLength(2);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it('builds anew what was built of other sources', async () => {
    const build = await install();
    const file = join(build.folder, 'build.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(build.sources, 'sha256:00'));
    expect(await install()).toEqual(build);
    expect(downloads()).toHaveLength(2);
  });

  it('fetches the CUDA libraries that the wheel asks for', async () => {
    const build = await install({ gpu: true });
    expect(build.device).toBe('gpu');
    expect(downloads()).toEqual(['tensorflow==9.9', 'nvidia-cublas-cu12==12.6']);
    expect(existsSync(join(build.folder, 'nvidia/cublas/lib/libcublas.so.12'))).toBe(true);
    const link = tools.calls().at(-1)!;
    expect(link.at(-1)).toBe('-Wl,-rpath,$ORIGIN/../tensorflow:$ORIGIN/../nvidia/cublas/lib');
  });

  it('lets pip choose the CUDA libraries of a TensorFlow that is not pinned', async () => {
    const wheels = tools.pins.wheels.filter(({ requirement }) => requirement.startsWith('nvidia'));
    await install({ gpu: true }, { wheels });
    expect(downloads()).toEqual(['tensorflow==9.9', 'nvidia-cublas-cu12<13.0,>=12.5']);
  });

  it('takes on arm64 the one TensorFlow that there is for it', async () => {
    const pinned = tools.pins.wheels.map((wheel) => ({ ...wheel, arch: 'arm64' }));
    const wanted = { tensorflow: '9.9', arch: 'arm64', wheel: undefined, pinned } as const;
    const context = { environment: tools.environment, folder, signal: undefined };
    const prepare = (wheels: typeof pinned): Promise<unknown> =>
      prepareLibraries(
        { ...wanted, device: 'cpu', pinned: wheels },
        join(folder, 'tree'),
        context,
        () => undefined,
      );
    const wrong = pinned.map((wheel) => ({ ...wheel, sha256: 'ff' }));
    await expect(prepare(wrong)).rejects.toThrow(/checksum of tensorflow==9\.9 should be/);
    await prepare(pinned);
    expect(downloads()).toEqual(['tensorflow==9.9', 'tensorflow==9.9']);
    expect(tools.calls().at(-1)).toContain('manylinux_2_27_aarch64');
  });

  it('takes a wheel that the user has, without Python', async () => {
    tools.remove('python3');
    const wheel = join(folder, 'mine.whl');
    writeFileSync(wheel, zip(wheelFiles));
    expect((await install({ wheel })).ingredients.at(-1)?.name).toBe('mine.whl');
    expect(existsSync(wheel)).toBe(true);
    await expect(install({ wheel: `${wheel}x`, force: true })).rejects.toThrow(
      /Cannot read the wheel .*mine.whlx: no such file or folder \(ENOENT\)/,
    );
  });
});

describe('installNative says what is missing', () => {
  it.each([
    ['c++', /lacks a C\+\+ compiler \(looked for c\+\+, g\+\+, clang\+\+\)\. Install one.*CXX/],
    ['python3', /lacks Python with pip\. .*--wheel/],
    ['npm', /lacks npm\./],
  ])('without %s', async (program, message) => {
    rmSync(join(folder, 'bin', program));
    await expect(install()).rejects.toThrow(message);
    expect(findNativeBuilds(cache)).toEqual([]);
  });

  it('when Python has no pip', async () => {
    tools.write('python3', 'console.error("No module named pip"); process.exit(1);');
    await expect(install()).rejects.toThrow(/lacks pip \(Python is there/);
  });

  it('when the compiler named in CXX is not there', async () => {
    const environment = { ...tools.environment, CXX: 'my-compiler' };
    await expect(install({ environment })).rejects.toThrow(/looked for my-compiler/);
  });

  it('when the disk has too little room', async () => {
    await expect(install({}, { room: { cpu: 1e18, gpu: 0 } })).rejects.toThrow(
      /should have 1000000000\.0 GB free.*Found \d+\.\d GB/,
    );
  });

  it('when the folder cannot be made', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(install({ folder: join(folder, 'file', 'below') })).rejects.toThrow(
      /Cannot make the folder .*: a part of the path is not a folder \(ENOTDIR\)/,
    );
  });

  it('when the platform is not covered', () => {
    const check = (platform: string, arch: string, glibc?: string) => () =>
      checkPlatform(platform, arch, glibc, 'cpu');
    expect(check('win32', 'x64')).toThrow(/Found win32 on x64/);
    expect(check('linux', 'ia32', '2.36')).toThrow(/Found linux on ia32/);
    expect(check('linux', 'x64')).toThrow(/musl/);
    expect(check('linux', 'arm64', '2.17')).toThrow(/glibc 2\.27.*Found 2\.17/);
    expect(check('linux', 'x64', '2.27')).not.toThrow();
    expect(check('linux', 'arm64', '2.27')).not.toThrow();
    expect(() => checkPlatform('linux', 'x64', '2.27', 'gpu')).not.toThrow();
    expect(() => checkPlatform('linux', 'arm64', '2.27', 'gpu')).toThrow(
      /CUDA devices can be built on x64\. Found linux on arm64, for which .* no library with CUDA/,
    );
  });
});

describe('installNative when something goes wrong', () => {
  it('refuses packages and wheels whose checksum is not right, then takes right ones', async () => {
    const packages = tools.pins.packages.map((one) => ({ ...one, integrity: 'sha512-AAAA' }));
    await expect(install({}, { packages })).rejects.toThrow(
      /checksum of @tensorflow\/tfjs-node 1\.2\.3 from npm should be sha512-AAAA\. Found sha512-/,
    );
    rmSync(cache, { recursive: true });
    const wheels = tools.pins.wheels.map((one) => ({ ...one, sha256: 'ff' }));
    await expect(install({}, { wheels })).rejects.toThrow(
      /checksum of tensorflow-cpu==9\.9 should be sha256:ff\. Found sha256:/,
    );
    rmSync(cache, { recursive: true });
    const badCuda = tools.pins.wheels.map((one) =>
      one.requirement.startsWith('nvidia') ? { ...one, sha256: 'ff' } : one,
    );
    await expect(install({ gpu: true }, { wheels: badCuda })).rejects.toThrow(
      /checksum of nvidia-cublas-cu12==12\.6 should be sha256:ff\. Found sha256:/,
    );
    rmSync(cache, { recursive: true });
    const noCuda = tools.pins.wheels.filter(({ requirement }) => !requirement.startsWith('nvidia'));
    await expect(install({ gpu: true }, { wheels: noCuda })).rejects.toThrow(
      /A hash should be pinned for nvidia-cublas-cu12<13\.0,>=12\.5, which tensorflow-9\.9\.whl requires/,
    );
    expect(findNativeBuilds(cache)).toEqual([]);
    expect((await install()).tensorflow).toBe('9.9');
  });

  it('refuses a wheel without headers, and what is no wheel', async () => {
    const files = Object.entries(wheelFiles).filter(([name]) => !name.endsWith('.h'));
    tools.putWheel('tensorflow-cpu==9.9', Object.fromEntries(files));
    await expect(install({}, { wheels: [] })).rejects.toThrow(
      /should hold the C\+\+ libraries and headers.*lacks tensorflow\/include\/tensorflow\/c\/eager\/c_api\.h\./,
    );
    const wheel = join(folder, 'text.whl');
    writeFileSync(wheel, 'no zip at all');
    await expect(install({ wheel })).rejects.toThrow(/text\.whl is no wheel: /);
  });

  it.each([
    [
      'npm',
      /Fetching @tensorflow\/tfjs-node 1\.2\.3 with npm failed with exit code 7\. no network/,
    ],
    ['python3', /Fetching tensorflow-cpu==9\.9 with pip failed with exit code 7\. no network/],
    ['c++', /Compiling the addon with fake failed with exit code 7\. no network/],
  ])('shows what %s says', async (program, message) => {
    tools.write(
      program,
      `if (args.includes('--version')) { console.log('fake'); process.exit(0); }
console.error('no network'); process.exit(7);`,
    );
    await expect(install()).rejects.toThrow(message);
    expect(findNativeBuilds(cache)).toEqual([]);
  });

  it('goes on after the last completed step', async () => {
    // The compiler fails: libraries are unpacked already and stay.
    const stop = new AbortController();
    await expect(
      install({
        signal: stop.signal,
        onProgress: ({ step }) => step === 'compile' && stop.abort(new Error('stopped')),
      }),
    ).rejects.toThrow('stopped');
    expect(findNativeBuilds(cache)).toEqual([]);
    tools.remove('python3');
    await install();
    expect(downloads()).toHaveLength(1);
  });

  it('keeps a download that was checked, and none that was cut off', async () => {
    for (const step of ['download', 'unpack'] as const) {
      const stop = new AbortController();
      const onProgress = (progress: { step: string }): void => {
        if (progress.step === step) stop.abort(new Error('stopped'));
      };
      await expect(install({ signal: stop.signal, onProgress })).rejects.toThrow('stopped');
    }
    tools.write('python3', 'process.exit(9)');
    await install();
  });

  it('ends a program that is at work when it is stopped', async () => {
    tools.write(
      'python3',
      `if (args.includes('--version')) process.exit(0);
fs.writeFileSync(process.env.TMPDIR + '/part', 'x'.repeat(100)); setInterval(() => {}, 1000);`,
    );
    const stop = new AbortController();
    const shares: (number | null)[] = [];
    await expect(
      install({
        signal: stop.signal,
        onProgress: ({ share }) => {
          shares.push(share);
          if (share !== null && share > 0) stop.abort(new Error('stopped'));
        },
      }),
    ).rejects.toThrow('stopped');
    expect(shares.at(-1)).toBeCloseTo(100 / tools.pins.wheels[0]!.bytes, 6);
  });

  it('does not put a build in place that does not load', async () => {
    await expect(
      installPinned(tools.pins, { folder: cache, environment: tools.environment }),
    ).rejects.toThrow(/does not load \(exit code 1\).*/);
    expect(findNativeBuilds(cache)).toEqual([]);
  });

  it('refuses to work where another process does, and takes over from one that is gone', async () => {
    const lock = join(cache, `.tensorflow-9.9-cpu-${process.platform}-${process.arch}.lock`);
    mkdirSync(cache, { recursive: true });
    const leave = (id: number): void =>
      writeFileSync(lock, JSON.stringify({ process: id, host: hostname(), since: 'yesterday' }));
    // The parent of this process is alive.
    leave(process.ppid);
    await expect(install()).rejects.toThrow(
      new RegExp(`Another installation \\(process ${process.ppid} on .*\\) is at work`),
    );
    leave(999999999);
    await install();
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it('lets one of two that begin together through', async () => {
    const results = await Promise.allSettled([install(), install(), install()]);
    const done = results.filter(({ status }) => status === 'fulfilled');
    expect(done).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(String(result.reason)).toContain('installation');
    }
    expect(findNativeBuilds(cache)).toHaveLength(1);
    expect(readdirSync(cache)).toHaveLength(1);
  });
});
