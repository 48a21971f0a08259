// `npm run bench -- [--backend wasm] [--width 32] [--rounds 15]`
import { parseArgs } from 'node:util';
import { benchSteps } from './cg-mnist-step.mjs';

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'wasm' },
    width: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '15' },
  },
});
const positive = (name) => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} should be an integer >= 1. Found ${values[name]}.`);
};
await benchSteps({ backend: values.backend, width: positive('width'), rounds: positive('rounds') });
