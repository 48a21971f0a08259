import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { noForeignKeys } from './scripts/lint/no-foreign-keys.mjs';

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/coverage/**',
      '**/.venv/**',
      'runs/**',
      'tests/.examples/**',
      '**/*.generated.ts',
      'docs/.vitepress/cache/**',
      'docs/.vitepress/.temp/**',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.tests.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Numbers in messages are the point of our error texts.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // `noPropertyAccessFromIndexSignature` style is left to the author.
      '@typescript-eslint/dot-notation': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      // Tensor containers need an index signature, which type aliases have and interfaces have not.
      '@typescript-eslint/consistent-type-definitions': 'off',
      // Options are named by an interface without members of its own: the reference then lists what it inherits.
      '@typescript-eslint/no-empty-object-type': [
        'error',
        { allowInterfaces: 'with-single-extends' },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Matrices are flat typed arrays: an index that the loop bounds prove needs `!` under noUncheckedIndexedAccess.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // TensorFlow.js types most results as tensors of unknown rank; tests say which rank they made.
    files: ['**/*.test.ts', 'tests/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
    },
  },
  {
    // Library code takes its randomness and its time from outside, and never prints.
    files: ['packages/*/src/**/*.ts'],
    ignores: ['packages/cli/src/**', '**/*.test.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'Math',
          property: 'random',
          message: 'Take a seed and use core/strategy randomness.',
        },
        { object: 'Date', property: 'now', message: 'Take the time from the caller.' },
      ],
    },
  },
  {
    // The core runs in browsers; what keeps files is an entry of its own.
    files: ['packages/core/src/**/*.ts'],
    ignores: ['packages/core/src/files/**', '**/*.test.ts', '**/testing/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex: '^node:|/files/' }] }],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'require', '__dirname'],
    },
  },
  {
    // Objectives, variables, metrics and callbacks are named by users. Tests choose their names themselves.
    files: ['packages/*/src/**/*.ts', 'docs/playground/**/*.ts', 'bench/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/testing/**'],
    plugins: { multigrad: { rules: { 'no-foreign-keys': noForeignKeys } } },
    rules: { 'multigrad/no-foreign-keys': 'error' },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        console: 'readonly',
        fetch: 'readonly',
        process: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        WebAssembly: 'readonly',
        AbortController: 'readonly',
      },
    },
  },
  {
    files: ['examples/federated/**/*.js'],
    languageOptions: {
      globals: {
        clearTimeout: 'readonly',
        document: 'readonly',
        location: 'readonly',
        URLSearchParams: 'readonly',
        WebSocket: 'readonly',
      },
    },
  },
  {
    files: ['examples/webpack/src/*.js'],
    languageOptions: {
      globals: {
        addEventListener: 'readonly',
        document: 'readonly',
        postMessage: 'readonly',
        Worker: 'readonly',
      },
    },
  },
);
