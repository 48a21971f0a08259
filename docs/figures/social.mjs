import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { figures } from './conflict.mjs';

// The picture that messengers and networks show of a link to the site: 1200 × 630 pixels, on paper.

const docs = join(import.meta.dirname, '..');

const paper = {
  ...{ ink: '#24292f', quiet: '#57606a', rule: '#d0d7de', paper: '#ffffff' },
  ...{ a: '#0072b2', b: '#d55e00', c: '#009e73', d: '#cc79a7', e: '#e69f00', f: '#56b4e9' },
  ...{ 'a-words': '#0072b2', 'b-words': '#c04f00', 'c-words': '#007a57', 'd-words': '#a8487e' },
  ...{ 'e-words': '#8a6200', 'f-words': '#1c74a8' },
};

/** A figure within another picture, with the colours that it has on paper. */
function placed(svg, x, y, scale) {
  const body = svg
    .replace(/<style>.*?<\/style>|<title>.*?<\/title>/gs, '')
    .replaceAll(/var\(--f-([a-z-]+)\)/g, (_, name) => paper[name]);
  return `<g transform="translate(${x} ${y}) scale(${scale})">${body}</g>`;
}

/** The bytes of the PNG. */
export async function drawSocial() {
  const logo = readFileSync(join(docs, 'public/icon.svg'), 'utf8').replace(
    '<svg ',
    '<svg width="16" height="16" ',
  );
  const updates = figures.updates.draw().toString('');
  const text = (y, size, weight, fill, words) =>
    `<text x="80" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}">${words}</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="630" viewBox="0 0 1200 630" font-family="DejaVu Sans, sans-serif">
<rect width="1200" height="630" fill="${paper.paper}"/>
<rect width="1200" height="12" fill="${paper.a}"/>
${placed(logo, 80, 90, 6)}
${text(165, 60, 700, paper.ink, '<tspan x="200">multigrad</tspan>')}
${text(300, 44, 700, paper.ink, 'Several losses, one update')}
${text(365, 27, 400, paper.quiet, 'Gradient integration for training')}
${text(403, 27, 400, paper.quiet, 'neural networks with several')}
${text(441, 27, 400, paper.quiet, 'objectives, on TensorFlow.js')}
${text(535, 24, 400, paper.ink, 'MMPareto · PCGrad · MGDA · CAGrad · …')}
${placed(updates, 690, 110, 1.35)}
</svg>`;
  return sharp(Buffer.from(svg)).png({ compressionLevel: 9, palette: true }).toBuffer();
}
