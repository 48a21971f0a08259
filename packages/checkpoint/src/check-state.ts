import { type Json, own } from '@multigrad/core/strategy';
import type { TrainerState } from '@multigrad/core';

/** What a value may be, as a check that says where it is not. */
type Check = (value: Json | undefined, path: string) => void;

function refuse(path: string, expected: string): never {
  throw new Error(`${path} should be ${expected}`);
}

const whole: Check = (value, path) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) refuse(path, 'an integer >= 0');
};
const text: Check = (value, path) => {
  if (typeof value !== 'string') refuse(path, 'a text');
};
const anything: Check = (value, path) => {
  if (value === undefined) refuse(path, 'present');
};
const measured: Check = (value, path) => {
  const known =
    typeof value === 'number' || ['NaN', 'Infinity', '-Infinity'].includes(value as string);
  if (!known) refuse(path, 'a number');
};

function listOf(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) refuse(path, 'a list');
    (value as readonly Json[]).forEach((one, index) => check(one, `${path}[${index}]`));
  };
}

function tuple(...checks: readonly Check[]): Check {
  return (value, path) => {
    if (!Array.isArray(value) || value.length !== checks.length) {
      refuse(path, `a list of ${checks.length}`);
    }
    checks.forEach((check, index) => check((value as readonly Json[])[index], `${path}[${index}]`));
  };
}

function record(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      refuse(path, 'an object');
    }
    const given = value as Readonly<Record<string, Json>>;
    for (const [key, check] of Object.entries(fields)) {
      check(own(given, key), `${path}.${key}`);
    }
    const unknown = Object.keys(given).find((key) => !Object.hasOwn(fields, key));
    if (unknown !== undefined) refuse(path, `without \`${unknown}\``);
  };
}

function orNull(check: Check): Check {
  return (value, path) => {
    if (value !== null) check(value, path);
  };
}

function orAbsent(check: Check): Check {
  return (value, path) => {
    if (value !== undefined) check(value, path);
  };
}

const powerOfTwo: Check = (value, path) => {
  const exponent = Math.log2(value as number);
  const exact = Number.isInteger(exponent) && exponent >= 0 && exponent <= 32;
  if (typeof value !== 'number' || !exact || 2 ** exponent !== value) {
    refuse(path, 'a power of two, 1 … 2^32');
  }
};

const yes: Check = (value, path) => {
  if (value !== true) refuse(path, 'true');
};

const dictionary: Check = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(path, 'an object');
};

const sums = listOf(tuple(text, measured, measured));
const measurements = record({ losses: sums, metrics: listOf(tuple(text, sums)) });
const history = record({ epochs: listOf(whole), columns: listOf(tuple(text, listOf(measured))) });

const group = record({
  key: text,
  objectives: listOf(text),
  variables: listOf(text),
  feature: orNull(text),
  state: anything,
});

const integration = record({
  format: whole,
  strategy: text,
  level: text,
  groupBy: text,
  singles: text,
  step: whole,
  objectives: listOf(text),
  groups: listOf(group),
  run: anything,
});

const trainerState = record({
  format: whole,
  step: whole,
  integration: orNull(integration),
  memory: listOf(record({ variable: text, objective: text })),
  frozen: listOf(text),
  optimizer: record({ kind: text, values: anything }),
  averagedSteps: whole,
  lossScale: orAbsent(record({ scale: powerOfTwo, goodSteps: whole })),
  skips: orAbsent(whole),
  fit: orNull(
    record({
      epoch: whole,
      batch: whole,
      skipped: whole,
      measurements,
      history,
      callbacks: dictionary,
      over: orAbsent(yes),
    }),
  ),
});

/**
 * Checks the shape of a trainer's state from a file; strategies and callbacks check their own states.
 *
 * @throws Error naming what is not as it should be
 */
export function checkTrainerState(value: Json | undefined): TrainerState {
  trainerState(value, 'state');
  return value as unknown as TrainerState;
}
