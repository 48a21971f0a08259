import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
} from '@microsoft/api-extractor';

const off = { logLevel: ExtractorLogLevel.None };

/** Each entry of each package, with the name of its report: `core`, `core.strategy`. */
function entries(root) {
  return readdirSync(join(root, 'packages')).flatMap((name) => {
    const folder = join(root, 'packages', name);
    const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return Object.entries(exports)
      .filter(([, { types }]) => types !== undefined)
      .map(([path, { types }]) => ({
        report: `${name}${path.slice(1).replaceAll('/', '.')}.api.md`,
        folder,
        types: join(folder, types),
      }));
  });
}

function configure({ report, folder, types }, reportFolder) {
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: types,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2023',
            lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
            module: 'NodeNext',
            types: ['node'],
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: true,
          },
          files: [types],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder,
        reportTempFolder: reportFolder,
        // What an exported type is made of is part of the surface.
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        // Doc comments follow typedoc, which checks them.
        extractorMessageReporting: { default: off },
        tsdocMessageReporting: { default: off },
      },
    },
  });
}

/**
 * Writes a report of the public surface of every entry of every package.
 *
 * @param root - a checkout with built packages
 * @param folder - where the reports go
 */
export function writeReports(root, folder) {
  const configs = entries(root).map((entry) => configure(entry, folder));
  // One program for all of them: each alone would parse TensorFlow.js again.
  const compilerState = CompilerState.create(configs[0], {
    additionalEntryPoints: configs.slice(1).map((config) => config.mainEntryPointFilePath),
  });
  for (const config of configs) {
    const { errorCount } = Extractor.invoke(config, {
      compilerState,
      localBuild: true,
      messageCallback(message) {
        if (message.logLevel === ExtractorLogLevel.Error) console.error(message.text);
        message.handled = true;
      },
    });
    if (errorCount > 0) throw new Error(`No report of ${config.mainEntryPointFilePath}.`);
  }
}
