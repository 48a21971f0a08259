import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawAll } from './all.mjs';
import { drawSocial } from './social.mjs';

// Draws every figure of the guides: npm run docs:figures.

const folder = join(import.meta.dirname, '../images/figures');
mkdirSync(folder, { recursive: true });
for (const [name, text] of await drawAll()) writeFileSync(join(folder, `${name}.svg`), text);
writeFileSync(join(import.meta.dirname, '../public/social.png'), await drawSocial());
