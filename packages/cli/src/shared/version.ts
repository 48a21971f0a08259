import { readFileSync } from 'node:fs';

const manifest = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as {
  readonly version: string;
  readonly repository: { readonly url: string };
};

/** Version of this package. */
export const version: string = manifest.version;

/** The page of the repository. */
export const repository: string = manifest.repository.url
  .replace(/^git\+/, '')
  .replace(/\.git$/, '');
