// Owns when the routes' schemas are compiled: each at its first request, since compiling all of them takes 100 ms of a start.
// Knows nothing about what they say; a test compiles every one.
import { createRequire } from 'node:module';
import type { BuildCompilerFromPool } from '@fastify/ajv-compiler';

type Validate = ReturnType<ReturnType<BuildCompilerFromPool>>;

const require = createRequire(import.meta.url);

/** Fastify's own compiler, loaded when the first schema is needed. */
const buildValidator: BuildCompilerFromPool = (schemas, options) => {
  let compile: ReturnType<BuildCompilerFromPool> | null = null;
  return (...route) => {
    let validate: Validate | null = null;
    const lazily = (data: unknown): unknown => {
      compile ??= (require('@fastify/ajv-compiler') as () => BuildCompilerFromPool)()(schemas, options);
      validate ??= compile(...route);
      const isValid = validate(data);
      Object.assign(lazily, { errors: validate.errors });
      return isValid;
    };
    return lazily as Validate;
  };
};

export const LAZY_COMPILERS = {
  buildValidator,
  buildSerializer:
    () =>
    () =>
    (value: unknown): string =>
      JSON.stringify(value),
};
