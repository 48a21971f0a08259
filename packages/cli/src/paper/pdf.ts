import { MultigradError } from '@multigrad/core/strategy';
import { readFont } from './fonts.ts';
import { loadPackage } from './load-package.ts';

/** The part of `pdfkit` that is used here. */
interface PdfDocument {
  registerFont(name: string, source: Uint8Array): void;
  on(event: 'data', heard: (bytes: Uint8Array) => void): void;
  on(event: 'end', heard: () => void): void;
  on(event: 'error', heard: (error: Error) => void): void;
  end(): void;
}
type MakeDocument = new (options: {
  readonly size: readonly [number, number];
  readonly margin: number;
  readonly info: Readonly<Record<string, string | Date>>;
}) => PdfDocument;

/** The part of `svg-to-pdfkit` that is used here. */
type DrawSvg = (
  document: PdfDocument,
  svg: string,
  x: number,
  y: number,
  options: {
    readonly assumePt: boolean;
    readonly fontCallback: () => string;
    readonly warningCallback: (warning: string) => void;
  },
) => void;

/** A picture as a PDF file of one page, of the picture's own size. */
export interface PdfPicture {
  readonly svg: string;
  readonly title: string;
  /** What the file says as its date. */
  readonly date: Date;
}

/** Writes pictures as PDF. */
export type WritePdf = (picture: PdfPicture) => Promise<Uint8Array>;

/**
 * Opens what writes PDF: text stays text, in a subset of the font of exported pictures that is part of the file.
 *
 * @throws MultigradError `unsupported` where the packages are not installed
 */
export async function openPdfWriter(
  packages: readonly [string, string] = ['pdfkit', 'svg-to-pdfkit'],
): Promise<WritePdf> {
  const { default: Document } = await loadPackage<{ readonly default: MakeDocument }>(
    packages[0],
    'PDF',
  );
  const { default: draw } = await loadPackage<{ readonly default: DrawSvg }>(packages[1], 'PDF');
  const font = readFont();
  return ({ svg, title, date }) => {
    const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
    const document = new Document({
      size: [Number(width), Number(height)],
      margin: 0,
      info: { Title: title, Creator: 'multigrad', CreationDate: date },
    });
    const parts: Uint8Array[] = [];
    return new Promise((resolve, reject) => {
      document.on('data', (bytes) => parts.push(bytes));
      document.on('end', () => resolve(Buffer.concat(parts)));
      document.on('error', reject);
      document.registerFont('chart', font);
      draw(document, svg, 0, 0, {
        assumePt: true,
        fontCallback: () => 'chart',
        warningCallback: (warning) => {
          throw new MultigradError('unsupported', `The chart cannot be drawn as PDF: ${warning}`);
        },
      });
      document.end();
    });
  };
}
