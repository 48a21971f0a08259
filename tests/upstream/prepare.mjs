// TensorFlow.js ships the compiled tests of tfjs-core as ES modules that Node cannot load as they are: no file extensions
// in their imports, `require` beside `import`. Here they become CommonJS, in a cache below node_modules.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const require = createRequire(import.meta.url);

/** The folder with tfjs-core's own modules and tests as CommonJS; made where it is not there yet. */
export function preparedCore() {
  const manifest = require.resolve('@tensorflow/tfjs-core/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  const cache = join(dirname(require.resolve('typescript/package.json')), '..', '.cache');
  const folder = join(cache, 'multigrad-upstream', `tfjs-core-${version}-typescript-${ts.version}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  const source = join(dirname(manifest), 'dist');
  for (const file of moduleFiles(source)) {
    const target = join(unfinished, relative(source, file));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, commonJs(readFileSync(file, 'utf8')));
  }
  writeFileSync(join(unfinished, 'package.json'), '{ "type": "commonjs" }\n');
  if (existsSync(folder)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, folder);
  return folder;
}

/** The test files, in upstream's order. */
export function testFiles(folder) {
  const list = readFileSync(join(folder, 'tests.js'), 'utf8');
  return [...list.matchAll(/require\("\.\/(.*_test)"\)/g)].map(([, name]) => name);
}

function moduleFiles(source) {
  return readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/(^|\/)(tf-core\.|miniprogram\/)/.test(relative(source, file)));
}

function commonJs(text) {
  const withoutMap = text.replace(/^\/\/# sourceMappingURL=.*$/m, '');
  return ts.transpileModule(withoutMap, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  }).outputText;
}
