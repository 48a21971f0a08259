// `npm run bench -- [step] [--backend wasm] [--width 32] [--rounds 15]`
// `npm run bench -- solve [--python python3] [--sizes 2,3,8,32] [--rounds 5] [--seconds 0.1]`
import { parseArgs } from 'node:util';
import { benchSteps } from './cg-mnist-step.mjs';
import { benchSolve } from './solve.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string', default: 'wasm' },
    width: { type: 'string', default: '32' },
    rounds: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    sizes: { type: 'string', default: '2,3,8,32' },
    seconds: { type: 'string', default: '0.1' },
  },
});

function positive(name, text) {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} should be an integer >= 1. Found ${text}.`);
}

const [what = 'step', ...rest] = positionals;
if (rest.length > 0 || !['step', 'solve'].includes(what)) {
  throw new Error(`Expected \`step\` or \`solve\`. Found ${positionals.join(' ')}.`);
}
if (what === 'step') {
  await benchSteps({
    backend: values.backend,
    width: positive('width', values.width),
    rounds: positive('rounds', values.rounds ?? '15'),
  });
} else {
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds should be > 0. Found ${values.seconds}.`);
  await benchSolve({
    python: values.python,
    sizes: values.sizes.split(',').map((size) => positive('sizes', size)),
    rounds: positive('rounds', values.rounds ?? '5'),
    seconds,
  });
}
