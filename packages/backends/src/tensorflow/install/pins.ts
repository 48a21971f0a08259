import type { NativeDevice } from '../native-build.ts';

/** An npm package that a build takes files from. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** As npm writes it: `sha512-…`. */
  readonly integrity: string;
}

/** A wheel whose hash is known beforehand. */
export interface PinnedWheel {
  readonly tensorflow: string;
  readonly device: NativeDevice;
  /** As `process.arch` names it. */
  readonly arch: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** What a build is made of. */
export interface Pins {
  readonly packages: readonly PinnedPackage[];
  /** The TensorFlow that is taken where the caller names none. */
  readonly tensorflow: string;
  readonly wheels: readonly PinnedWheel[];
  /** Room that download, unpacked libraries and build take at the worst moment, in bytes. */
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
      tensorflow: '2.21.0',
      device: 'cpu',
      arch: 'x64',
      sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
      bytes: 273_829_956,
    },
    {
      tensorflow: '2.21.0',
      device: 'gpu',
      arch: 'x64',
      sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
      bytes: 572_440_367,
    },
  ],
  room: { cpu: 1.3e9, gpu: 9e9 },
};
