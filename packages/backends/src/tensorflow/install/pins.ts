import type { NativeDevice } from '../native-build.ts';

/** An npm package that a build takes files from. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** The hash as npm writes it: `sha512-…`. */
  readonly integrity: string;
}

/** A wheel whose hash is known beforehand. */
export interface PinnedWheel {
  /** The requirement as pip takes it: `tensorflow-cpu==2.21.0`. */
  readonly requirement: string;
  /** The architecture as `process.arch` names it. */
  readonly arch: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** The versions and hashes of all that a build is made of. */
export interface Pins {
  readonly packages: readonly PinnedPackage[];
  /** The version of TensorFlow that is installed where the caller names none. */
  readonly tensorflow: string;
  /** The wheels of that TensorFlow, and those that its wheel for CUDA devices requires. */
  readonly wheels: readonly PinnedWheel[];
  /** The most room that the download, the unpacked libraries and the build take at one time, in bytes. */
  readonly room: Readonly<Record<NativeDevice, number>>;
}

/** The versions that were tried together, with the hashes that the registries publish for them. */
export const pins: Pins = {
  packages: [
    {
      name: '@tensorflow/tfjs-node',
      version: '4.22.0',
      integrity:
        'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==',
    },
    {
      name: 'google-protobuf',
      version: '3.21.4',
      integrity:
        'sha512-MnG7N936zcKTco4Jd2PX2U96Kf9PxygAPKBug+74LHzmHXmceN16MmRcdgZv+DGef/S9YvQAfRsNCn4cjf9yyQ==',
    },
    {
      name: 'node-api-headers',
      version: '1.9.0',
      integrity:
        'sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==',
    },
  ],
  tensorflow: '2.21.0',
  wheels: [
    {
      requirement: 'tensorflow-cpu==2.21.0',
      arch: 'x64',
      sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
      bytes: 273_829_956,
    },
    {
      requirement: 'tensorflow==2.21.0',
      arch: 'arm64',
      sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
      bytes: 281_828_020,
    },
    {
      requirement: 'tensorflow==2.21.0',
      arch: 'x64',
      sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
      bytes: 572_440_367,
    },
    {
      requirement: 'nvidia-cublas-cu12==12.9.3.13',
      arch: 'x64',
      sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
      bytes: 581_217_458,
    },
    {
      requirement: 'nvidia-cuda-cupti-cu12==12.8.90',
      arch: 'x64',
      sha256: 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182',
      bytes: 10_248_621,
    },
    {
      requirement: 'nvidia-cuda-nvcc-cu12==12.9.86',
      arch: 'x64',
      sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
      bytes: 40_546_229,
    },
    {
      requirement: 'nvidia-cuda-nvrtc-cu12==12.9.86',
      arch: 'x64',
      sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
      bytes: 89_568_129,
    },
    {
      requirement: 'nvidia-cuda-runtime-cu12==12.9.79',
      arch: 'x64',
      sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
      bytes: 3_493_179,
    },
    {
      requirement: 'nvidia-cudnn-cu12==9.28.0.42',
      arch: 'x64',
      sha256: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
      bytes: 716_538_495,
    },
    {
      requirement: 'nvidia-cufft-cu12==11.4.1.4',
      arch: 'x64',
      sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
      bytes: 200_877_592,
    },
    {
      requirement: 'nvidia-curand-cu12==10.3.10.19',
      arch: 'x64',
      sha256: '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e',
      bytes: 68_295_626,
    },
    {
      requirement: 'nvidia-cusolver-cu12==11.7.5.82',
      arch: 'x64',
      sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
      bytes: 338_117_415,
    },
    {
      requirement: 'nvidia-cusparse-cu12==12.5.10.65',
      arch: 'x64',
      sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
      bytes: 366_465_088,
    },
    {
      requirement: 'nvidia-nccl-cu12==2.32.3',
      arch: 'x64',
      sha256: 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
      bytes: 351_526_311,
    },
    {
      requirement: 'nvidia-nvjitlink-cu12==12.9.86',
      arch: 'x64',
      sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
      bytes: 39_748_338,
    },
  ],
  room: { cpu: 1.3e9, gpu: 9e9 },
};
