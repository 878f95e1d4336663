// The official clients against one real server: OpenAI's two, the Vercel AI SDK and LangChain's two, side by side.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, serve } from '../served.ts';
import { aiSdkSuite } from './ai-sdk.ts';
import { langchainSuite } from './langchain.ts';
import { openaiSuite } from './openai.ts';
import { openaiErrorsSuite } from './openai-errors.ts';
import { pythonSuite } from './python-suite.ts';

let served: Served | undefined;
const baseUrl = (): string => `${served?.url}/v1`;

beforeAll(async () => {
  // Drafting may turn a near-tie the other way, and here texts are compared. Without it no request depends on its company.
  served = await serve({ args: ['--speculation', 'off'] });
}, 600_000);

afterAll(async () => {
  const result = await served?.stop();
  expect(result?.code, served?.output()).toBe(0);
}, 60_000);

describe.concurrent('openai (npm)', { timeout: 120_000 }, () => openaiSuite(it, baseUrl));
describe.concurrent('openai (npm), errors', { timeout: 120_000 }, () => openaiErrorsSuite(it, baseUrl));
describe.concurrent('Vercel AI SDK', { timeout: 120_000 }, () => aiSdkSuite(it, baseUrl));
describe.concurrent('LangChain (npm)', { timeout: 120_000 }, () => langchainSuite(it, baseUrl));
describe.concurrent('openai (PyPI)', { timeout: 600_000 }, () => pythonSuite(it, baseUrl, 'openai_checks.py'));
describe.concurrent('LangChain (PyPI)', { timeout: 600_000 }, () => pythonSuite(it, baseUrl, 'langchain_checks.py'));
