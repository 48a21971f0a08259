import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// What only processes of MPI can show; kept apart from `npm test`, which needs Node alone. They run what was built.
export default defineConfig({
  ...base,
  root: join(import.meta.dirname, '../..'),
  test: {
    ...base.test,
    include: ['tests/mpi/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    // Ranks are processes: files side by side would only wait for each other.
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
