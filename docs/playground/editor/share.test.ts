import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressOfProgram, programOfAddress } from './share.ts';

it('a program in an address is the same again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (source) => {
      const address = await addressOfProgram(source);
      expect(address).toMatch(/^code=[\w-]*$/);
      expect(await programOfAddress(`#${address}`)).toBe(source);
    }),
  );
});

it('an address without a program has none, and a damaged one is refused', async () => {
  expect(await programOfAddress('#example=trainer')).toBeNull();
  expect(await programOfAddress('')).toBeNull();
  const address = await addressOfProgram('const a = 1;'.repeat(20));
  for (const damaged of [`#${address.slice(0, -6)}`, '#code=%%%', '#code=aGVsbG8'])
    await expect(programOfAddress(damaged)).rejects.toThrow();
});
