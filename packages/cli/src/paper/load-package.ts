import { MultigradError } from '@multigrad/core/strategy';

/** What users install to export pictures other than SVG: 30 MB that most of them never need. */
const install = 'npm install --save-dev @resvg/resvg-wasm pdfkit svg-to-pdfkit';

/**
 * Loads a package that is an optional peer.
 *
 * @param format - what it is needed for
 * @throws MultigradError `unsupported` where it is not installed
 */
export async function loadPackage<T>(name: string, format: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (cause) {
    throw new MultigradError(
      'unsupported',
      `${format} files need the npm package \`${name}\`, which does not load here. Install it: ${install}`,
      { cause },
    );
  }
}
