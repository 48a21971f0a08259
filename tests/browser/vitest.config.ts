import { join } from 'node:path';
import process from 'node:process';
import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';
import { softwareVulkan } from '../../scripts/software-vulkan/software-vulkan.mjs';

Object.assign(process.env, softwareVulkan());

// What only a browser or a graphics driver can show; kept apart from `npm test`, which needs Node alone.
export default defineConfig({
  ...base,
  root: join(import.meta.dirname, '../..'),
  test: {
    ...base.test,
    include: ['tests/browser/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    // Graphics devices are played by the processor here.
    testTimeout: 600_000,
    // Several browsers at once, each computing, keep each other waiting beyond a page's patience.
    fileParallelism: false,
  },
});
