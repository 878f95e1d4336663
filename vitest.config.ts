import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Native code in a worker may end the process: forks lose one file then, threads the whole run.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    // A first run fetches and converts the real model in a hook.
    hookTimeout: 600_000,
    passWithNoTests: false,
    // What a test waits for may take long on a busy machine; no test says how long.
    expect: { poll: { timeout: 10_000 } },
  },
});
