import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mendNode } from './mend-node.ts';
import { findNativeBuilds, nativeFolder } from './native-build.ts';
import { nodeBackend, openTensorFlow } from './open-tensorflow.ts';

const core = createRequire(import.meta.url).resolve('@tensorflow/tfjs-core');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-open-'));
});

afterEach(() => {
  if ((tf.findBackendFactory('tensorflow') as unknown) !== null) tf.removeBackend('tensorflow');
  rmSync(folder, { recursive: true, force: true });
});

/** A package that does with TensorFlow.js what `@tensorflow/tfjs-node` does; `isNullOrUndefined` is gone in Node 23. */
function fakePackage(name: string, { gpu = false, broken = false } = {}): string {
  const entry = join(folder, `${name}.cjs`);
  writeFileSync(
    entry,
    `const tf = require(${JSON.stringify(core)});
require('util').isNullOrUndefined(null);
const backend = { binding: { TF_Version: '${name}', isUsingGpuDevice: () => ${gpu} }, dispose() {} };
tf.registerBackend('tensorflow', () => backend, 3);
if (${broken}) throw new Error('libtensorflow.so.2: cannot open shared object file');
exports.backend = () => backend;`,
  );
  return entry;
}

/** A build whose addon says what it is; its kernels are those of TensorFlow.js's package, so none here. */
function fakeBuild(version: string, device: 'cpu' | 'gpu', gpu = false): string {
  const build = join(folder, `tensorflow-${version}-${device}`);
  const dist = join(build, 'node_modules/@tensorflow/tfjs-node/dist');
  mkdirSync(dist, { recursive: true });
  mkdirSync(join(build, 'addon/tfjs_binding.node'), { recursive: true });
  // The stand-ins for binaries are CommonJS, whatever package lies above them.
  writeFileSync(join(build, 'package.json'), '{}');
  writeFileSync(
    join(build, 'addon/tfjs_binding.node/index.js'),
    `module.exports = { TF_Version: '${version}', isUsingGpuDevice: () => ${gpu} };`,
  );
  mkdirSync(join(build, 'addon/quiet.node'));
  writeFileSync(join(build, 'addon/quiet.node/index.js'), 'exports.silently = (load) => load();');
  writeFileSync(
    join(dist, 'nodejs_kernel_backend.js'),
    `exports.NodeJSKernelBackend = class {
      constructor(binding, name) {
        this.binding = binding;
        this.name = name;
        this.core = globalThis[Symbol.for('multigrad.tfjs-core')];
      }
      dispose() {}
    };`,
  );
  writeFileSync(join(dist, 'register_all_kernels.js'), '');
  const { platform, arch } = process;
  const record = { format: 1, device, tensorflow: version, platform, arch, gpu };
  writeFileSync(join(build, 'build.json'), JSON.stringify(record));
  return build;
}

const open = (
  packages: Readonly<Record<string, string>> = {},
  driver = false,
): ReturnType<typeof openTensorFlow> =>
  openTensorFlow({ folder, driver, resolve: (name) => packages[name] ?? null });

const [plain, forGpus] = ['@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu'] as const;

describe('native TensorFlow is taken', () => {
  it('from tfjs-node-gpu where a GPU answers', async () => {
    const packages = {
      [plain]: fakePackage('plain'),
      [forGpus]: fakePackage('gpu', { gpu: true }),
    };
    expect(await open(packages, true)).toEqual({ source: forGpus, passedOver: [] });
    expect(nodeBackend().binding.TF_Version).toBe('gpu');
    // What was opened stays.
    expect(await open({}, false)).toEqual({ source: forGpus, passedOver: [] });
  });

  it('from tfjs-node where no GPU answers, or the machine has no driver', async () => {
    const packages = { [plain]: fakePackage('plain'), [forGpus]: fakePackage('gpu') };
    expect(await open(packages, true)).toEqual({
      source: plain,
      passedOver: [`${forGpus}: no GPU answers`],
    });
    expect(nodeBackend().binding.TF_Version).toBe('plain');
    tf.removeBackend('tensorflow');
    expect(await open(packages, false)).toMatchObject({ source: plain });
  });

  it('from a build of ours where the package does not load', async () => {
    const build = fakeBuild('2.21.0', 'cpu');
    const packages = { [plain]: fakePackage('plain', { broken: true }) };
    expect(await open(packages)).toEqual({
      source: build,
      passedOver: [`${plain}: libtensorflow.so.2: cannot open shared object file`],
    });
    const backend = nodeBackend() as unknown as { core: typeof tf; name: string };
    expect(backend.core.engine()).toBe(tf.engine());
    expect(backend.name).toBe(plain);
  });

  it('from the newest build; for GPUs first where one answered and there is a driver', async () => {
    const [old, recent] = [fakeBuild('2.9.0', 'cpu'), fakeBuild('2.21.0', 'cpu')];
    const gpu = fakeBuild('2.20.0', 'gpu', true);
    expect(findNativeBuilds(folder).map((build) => build.folder)).toEqual([recent, gpu, old]);
    expect(await open({}, false)).toMatchObject({ source: recent });
    tf.removeBackend('tensorflow');
    expect(await open({ [plain]: fakePackage('plain') }, true)).toMatchObject({ source: gpu });
    expect((nodeBackend() as unknown as { name: string }).name).toBe(forGpus);
  });

  it('from what the program imported', async () => {
    tf.registerBackend('tensorflow', () => ({ dispose: () => undefined }) as never);
    const found = await open({ [plain]: fakePackage('plain') });
    expect('source' in found).toBe(true);
  });
});

describe('without native TensorFlow', () => {
  it('nothing is registered and every failure is told', async () => {
    expect(await open()).toEqual({ installed: false, failures: [] });
    const packages = { [plain]: fakePackage('plain', { broken: true }) };
    expect(await open(packages)).toEqual({
      installed: true,
      failures: [`${plain}: libtensorflow.so.2: cannot open shared object file`],
    });
    expect(tf.findBackendFactory('tensorflow')).toBeNull();
  });

  it('records that this version does not understand are passed over', () => {
    for (const [name, text] of [
      ['tensorflow-a', '{"format":2}'],
      ['tensorflow-b', 'no json'],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'build.json'), text);
    }
    mkdirSync(join(folder, 'tensorflow-c'));
    expect(findNativeBuilds(folder)).toEqual([]);
    expect(findNativeBuilds(join(folder, 'nowhere'))).toEqual([]);
  });
});

describe('the folder of builds', () => {
  it('is the one that MULTIGRAD_NATIVE names', () => {
    expect(nativeFolder({ MULTIGRAD_NATIVE: '/y', XDG_CACHE_HOME: '/x' })).toBe('/y');
  });

  it('is a path from the root where HOME is empty, or is none', () => {
    const { HOME } = process.env;
    try {
      for (const home of ['', 'somewhere']) {
        process.env['HOME'] = home;
        expect(nativeFolder({})).toMatch(/^\/.*\/\.cache\/multigrad\/native$/);
      }
    } finally {
      process.env['HOME'] = HOME;
    }
  });

  it('follows XDG_CACHE_HOME where that is an absolute path', () => {
    expect(nativeFolder({ XDG_CACHE_HOME: '/x' })).toBe('/x/multigrad/native');
    for (const environment of [{}, { XDG_CACHE_HOME: '' }, { XDG_CACHE_HOME: 'x' }]) {
      expect(nativeFolder(environment)).toMatch(/\/\.cache\/multigrad\/native$/);
    }
  });
});

describe('helpers of Node that are gone', () => {
  it('are put back, and those that are there stay', () => {
    const there = (): boolean => true;
    const util: Record<string, unknown> = { isArray: there };
    mendNode(util);
    expect(util['isArray']).toBe(there);
    const isNullOrUndefined = util['isNullOrUndefined'] as (value: unknown) => boolean;
    expect([null, undefined, 0, ''].map(isNullOrUndefined)).toEqual([true, true, false, false]);
  });
});
