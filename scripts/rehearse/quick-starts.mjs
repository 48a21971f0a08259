import { readFileSync } from 'node:fs';

/**
 * The sections of a page that say what to install and then what to write.
 *
 * @returns the packages after `npm install`, and the programs, of each
 */
export function quickStarts(path) {
  const sections = readFileSync(path, 'utf8').split(/^#{2,3} /m);
  return sections.flatMap((section) => {
    const [, words] = /^```sh\nnpm install ((?:.+\\\n)*.+)\n```$/m.exec(section) ?? [];
    const programs = [...section.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
    if (words === undefined || programs.length === 0) return [];
    return [{ packages: words.split(/[\s\\]+/), programs }];
  });
}
