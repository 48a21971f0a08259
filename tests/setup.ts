import fc from 'fast-check';

// Property tests draw the same cases in every run, so that a change is judged by what it changes. Others are tried with
// `FAST_CHECK_SEED=…`, and with new seeds each time by `npm run soak -- properties`.
const given = process.env['FAST_CHECK_SEED'] ?? '1';
const seed = Number(given);
if (!Number.isInteger(seed)) {
  throw new Error(`FAST_CHECK_SEED must be an integer. Found ${JSON.stringify(given)}.`);
}
fc.configureGlobal({ seed, verbose: true });
