// One run of upstream's tests, in a process of its own: child.mjs SETTINGS, a JSON file with what `run-tests.mjs` writes
// there. Each test that begins or ends is a line of JSON in `out`, so that what was found is there when the process dies.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const require = createRequire(import.meta.url);
const load = (name) => require(join(settings.core, name));

seedRandomness();
Object.assign(globalThis, require('jasmine-core').noGlobals());
const { jasmine } = globalThis;
load('index');
load('public/chained_ops/register_all_chained_ops');
load('register_all_gradients');
await openBackend(settings);
const { setTestEnvs } = load('jasmine_util');
setTestEnvs([{ name: 'upstream', backendName: settings.backend, isDataSync: true }]);

const env = jasmine.getEnv();
const { keys, suites } = loadTests(env.topSuite(), settings.files);
const skip = new Set(settings.skip);
const out = openSync(settings.out, 'a');
const write = (line) => writeSync(out, `${JSON.stringify(line)}\n`);
env.configure({ random: false, specFilter: ({ id }) => !skip.has(keys.get(id)) });
env.addReporter({
  specStarted: ({ id }) => write({ began: keys.get(id) }),
  specDone: ({ id, status, failedExpectations: [failure] }) => {
    if (skip.has(keys.get(id))) return;
    const reason = failure?.message.slice(0, 300);
    write({ ended: keys.get(id), suite: suites.get(id), status, reason });
  },
});
await env.execute();
write({ done: true });
closeSync(out);
process.exit();

/** Tests that draw numbers draw the same ones in every run. */
function seedRandomness() {
  let state = 1;
  // The generator of Park and Miller.
  Math.random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

async function openBackend({ backend, threads, ours }) {
  if (ours) {
    const { useBackend } = await import('@multigrad/backends');
    const { name, wasm } = await useBackend(backend, threads === undefined ? {} : { threads });
    if (name !== backend || wasm?.threads !== threads) {
      throw new Error(`Expected ${backend}, threads: ${threads}. Found ${name}, ${wasm?.threads}.`);
    }
  } else if (backend === 'tensorflow') {
    const dist = new URL('../../packages/backends/dist/tensorflow/', import.meta.url);
    const { openTensorFlow, surroundingsOf } = await import(new URL('open-tensorflow.js', dist));
    const { nativeFolder } = await import(new URL('native-build.js', dist));
    const found = await openTensorFlow(surroundingsOf(nativeFolder()));
    if ('failures' in found) throw new Error(`No native TensorFlow: ${found.failures.join('; ')}`);
  } else {
    await import(`@tensorflow/tfjs-backend-${backend}`);
  }
}

/**
 * Loads the files; gives each test a key (file, name, and a number where several have the same name) and the name of the
 * suite that it stands in.
 */
function loadTests(top, files) {
  const [keys, suites, seen] = [new Map(), new Map(), new Map()];
  for (const file of files) {
    const before = top.children.length;
    load(file);
    const found = top.children
      .slice(before)
      .flatMap((suite) => specsOf(suite).map((spec) => ({ spec, suite: suite.description })));
    for (const { spec, suite } of found) {
      const name = `${file}: ${spec.getFullName().replace(' upstream {}', '')}`;
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      keys.set(spec.id, count === 1 ? name : `${name} (${count})`);
      suites.set(spec.id, suite);
    }
  }
  return { keys, suites };
}

function specsOf(node) {
  return node.children === undefined ? [node] : node.children.flatMap(specsOf);
}
