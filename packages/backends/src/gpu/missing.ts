import { engine } from '@tensorflow/tfjs-core';

/** What a backend needs and does not find, and a hint what to do about it. */
export interface Missing {
  readonly missing: string;
  readonly hint: string;
}

/** The text of what is missing, as part of a sentence. */
export function missingText({ missing, hint }: Missing): string {
  return `${missing} (${hint})`;
}

/**
 * What is missing where a page has not imported the package of a backend, or null. The page imports it because a bundler
 * warns of imports, or fails at them, whose package is not installed.
 */
export function missingImport(name: 'webgpu' | 'webgl'): Missing | null {
  if (name in engine().registryFactory) return null;
  const module = `@tensorflow/tfjs-backend-${name}`;
  return {
    missing: `the page has not imported ${module}`,
    hint: `\`npm install ${module}\`, then write \`import '${module}'\` before \`useBackend\``,
  };
}
