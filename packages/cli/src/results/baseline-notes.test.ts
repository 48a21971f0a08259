import { expect, it } from 'vitest';
import { baselineNotes } from './baseline-notes.ts';

it('says of `joint` that the other heads are not trained', () => {
  expect(baselineNotes(['sum'])).toEqual([]);
  expect(baselineNotes(['joint', 'sum']).join()).toContain('not trained');
});
