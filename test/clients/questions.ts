// What the client suites ask, and what a sound model of this size answers: greedy, so that clients can be compared.
import { MODEL } from '../served.ts';

export const FRANCE = [{ role: 'user', content: 'Name the capital city of France.' }] as const;
export const FRANCE_ANSWER = /Paris/;
export const STORY = [{ role: 'user', content: 'Tell me a long story about a river and a mill.' }] as const;

/** A greedy request for the capital of France. */
export const askFrance = { model: MODEL, messages: [...FRANCE], temperature: 0, max_tokens: 24 };
/** A greedy request that runs until its limit. */
export const askStory = { model: MODEL, messages: [...STORY], temperature: 0, max_tokens: 48 };
