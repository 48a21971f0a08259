import { readFileSync } from 'node:fs';

/**
 * The sections of a page that say what to install and then what to write.
 *
 * @returns title, the words after `npm install`, and the TypeScript of each
 */
export function quickStarts(path) {
  const sections = readFileSync(path, 'utf8').split(/^### /m).slice(1);
  return sections.flatMap((section) => {
    const [, packages] = /^```sh\nnpm install (.+)\n```$/m.exec(section) ?? [];
    const [, code] = /^```ts\n([\s\S]*?)^```$/m.exec(section) ?? [];
    if (packages === undefined || code === undefined) return [];
    return [{ title: section.split('\n')[0], packages: packages.split(' '), code }];
  });
}
