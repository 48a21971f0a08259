import { expect, it } from 'vitest';
import { wasStopped } from './stops.ts';

it('a process was stopped where a second or more passed in which it computed nothing', () => {
  const before = { wall: 1000, computing: 400 };
  expect(wasStopped(before, { wall: 1250, computing: 400 })).toBe(false);
  // A long step, on one thread and on three.
  expect(wasStopped(before, { wall: 9000, computing: 8350 })).toBe(false);
  expect(wasStopped(before, { wall: 9000, computing: 24_400 })).toBe(false);
  expect(wasStopped(before, { wall: 2000, computing: 400 })).toBe(true);
  expect(wasStopped(before, { wall: 9000, computing: 2400 })).toBe(true);
});
