import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Frame, FrameReader, type Head, headBytes } from './frames.ts';

function read(bytes: Uint8Array, cuts: readonly number[], largestBody = 2 ** 20): Frame[] {
  const reader = new FrameReader();
  reader.largestBody = largestBody;
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return places
    .slice(1)
    .flatMap((end, index) => [...reader.push(bytes.subarray(places[index], end))]);
}

describe('FrameReader', () => {
  it('finds the same frames, however the bytes are cut', () => {
    const frame = fc.record({
      what: fc.string({ unit: 'binary', maxLength: 40 }),
      body: fc.uint8Array({ maxLength: 100 }),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 5 }).chain((frames) => {
          const bytes = Buffer.concat(
            frames.flatMap(({ what, body }) => [
              headBytes({ kind: 'part', call: 1, round: 0, form: '', what }, body.length),
              body,
            ]),
          );
          const cut = fc.nat({ max: bytes.length });
          return fc.record({
            frames: fc.constant(frames),
            bytes: fc.constant(new Uint8Array(bytes)),
            cuts: fc.array(cut, { maxLength: 8 }),
          });
        }),
        ({ frames, bytes, cuts }) => {
          const found = read(bytes, cuts).map(({ head, body }) => ({
            what: (head as Extract<Head, { kind: 'part' }>).what,
            body: new Uint8Array(body),
          }));
          expect(found).toEqual(
            frames.map(({ what, body }) => ({ what, body: new Uint8Array(body) })),
          );
        },
      ),
    );
  });

  it.each<[string, Uint8Array]>([
    ['other bytes', new TextEncoder().encode('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a body from somebody unknown', headBytes({ kind: 'bye' }, 1)],
    ['a head that is no object', patched(headBytes({ kind: 'bye' }), 16, '[')],
  ])('refuses %s', (_, bytes) => {
    expect(() => read(bytes, [], 0)).toThrow(/Found other (bytes|text)/);
  });
});

function patched(bytes: Uint8Array, at: number, text: string): Uint8Array {
  const changed = bytes.slice();
  changed.set(new TextEncoder().encode(text), at);
  return changed;
}
