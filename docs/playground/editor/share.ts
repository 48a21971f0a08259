// A program in an address: compressed, then in letters and digits.

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

/** What stands behind `#` in the address of a page that shows this program. */
export async function addressOfProgram(source: string): Promise<string> {
  const bytes = await through(
    new TextEncoder().encode(source),
    new CompressionStream('deflate-raw'),
  );
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return `code=${btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
}

/** The program of an address; null where it has none. Rejects where what it has is damaged. */
export async function programOfAddress(hash: string): Promise<string | null> {
  const code = new URLSearchParams(hash.replace(/^#/, '')).get('code');
  if (code === null) return null;
  const text = atob(code.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const plain = await through(bytes, new DecompressionStream('deflate-raw'));
  return new TextDecoder('utf-8', { fatal: true }).decode(plain);
}
