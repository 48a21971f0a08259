import fc from 'fast-check';

// One seed for the whole run, printed with every failure; `FAST_CHECK_SEED=…` replays a run.
const given = process.env['FAST_CHECK_SEED'];
const seed = given === undefined ? undefined : Number(given);
if (seed !== undefined && !Number.isInteger(seed)) {
  throw new Error(`FAST_CHECK_SEED must be an integer. Found ${JSON.stringify(given)}.`);
}
fc.configureGlobal({ ...(seed === undefined ? {} : { seed }), verbose: true });
