import { defineConfig } from 'vitest/config';

// Tests resolve every workspace package to its TypeScript source, so a unit test never sees a stale build.
const conditions = ['@multigrad/source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    // They need a browser: npm run test:browser.
    exclude: ['tests/browser/**', '**/node_modules/**'],
    setupFiles: ['tests/setup.ts'],
    reporters: ['default', './tests/closing-line-reporter.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
