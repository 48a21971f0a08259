import { describe, expect, it } from 'vitest';
import { pins } from './pins.ts';

describe('what an installation may fetch', () => {
  it('has a hash, a size and one exact version', () => {
    for (const { requirement, sha256, bytes } of pins.wheels) {
      expect(requirement).toMatch(/^[\w-]+==\d[\d.]*$/);
      expect(sha256, requirement).toMatch(/^[0-9a-f]{64}$/);
      expect(bytes, requirement).toBeGreaterThan(1e6);
    }
    for (const { name, integrity } of pins.packages) {
      expect(Buffer.from(integrity.replace('sha512-', ''), 'base64'), name).toHaveLength(64);
    }
  });

  it('is pinned for every processor and device on which TensorFlow is published', () => {
    const of = (arch: string): string[] =>
      pins.wheels.flatMap((wheel) => (wheel.arch === arch ? [wheel.requirement] : []));
    const names = (arch: string): string[] =>
      of(arch).map((requirement) => requirement.split('==')[0]!);
    expect(of('x64')).toContain(`tensorflow-cpu==${pins.tensorflow}`);
    expect(of('x64')).toContain(`tensorflow==${pins.tensorflow}`);
    expect(of('arm64')).toEqual([`tensorflow==${pins.tensorflow}`]);
    // The extra `and-cuda` of tensorflow 2.21.0, as its metadata states it. An installation stops where one has no pin.
    expect(names('x64').filter((name) => name.startsWith('nvidia'))).toEqual([
      'nvidia-cublas-cu12',
      'nvidia-cuda-cupti-cu12',
      'nvidia-cuda-nvcc-cu12',
      'nvidia-cuda-nvrtc-cu12',
      'nvidia-cuda-runtime-cu12',
      'nvidia-cudnn-cu12',
      'nvidia-cufft-cu12',
      'nvidia-curand-cu12',
      'nvidia-cusolver-cu12',
      'nvidia-cusparse-cu12',
      'nvidia-nccl-cu12',
      'nvidia-nvjitlink-cu12',
    ]);
    const keys = pins.wheels.map(({ requirement, arch }) => `${requirement} ${arch}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
