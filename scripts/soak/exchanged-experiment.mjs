import { madeUp } from './made-up.mjs';

export const experiment = madeUp('exchanged', 'Encoders with gates between them', {
  exchange: { kind: 'mmtm', after: ['dense1'] },
});
