import process from 'node:process';
import { configDefaults, defineConfig } from 'vitest/config';

// Tests resolve every workspace package to its TypeScript source, so a unit test never sees a stale build.
const conditions = ['@multigrad/source', 'node', 'import', 'module', 'default'];

const native = process.env['MULTIGRAD_TEST_BACKEND'] === 'tensorflow';

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'docs/playground/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      // They need a browser: npm run test:browser.
      'tests/browser/**',
      // They need MPI: tests/mpi/run.
      'tests/mpi/**',
      // They need a build of native TensorFlow, which `tests/native/run` makes.
      ...(native ? [] : ['**/*.native.test.ts']),
    ],
    setupFiles: ['tests/setup.ts'],
    reporters: ['default', './tests/closing-line-reporter.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
