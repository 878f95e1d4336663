// Decides whether a load test can be as it is asked for: lengths, rates, and whose server it is.
import type { LoadTestRequest } from '../contract.ts';
import { EngineError } from '../errors.ts';
import { baseAddress, checkPrivate } from './target.ts';

const [LEAST_MINUTES, MOST_MINUTES] = [0.1, 60];
const MOST_PER_SECOND = 1_000;
const MOST_TOKENS = 100_000;

/** The request with the base address of its server. @throws EngineError `invalid_request` naming the field */
export async function checkRequest(request: LoadTestRequest, options: { readonly public: boolean }): Promise<LoadTestRequest> {
  const { profile, minutes, model } = request;
  within('minutes', minutes, LEAST_MINUTES, MOST_MINUTES);
  if (profile.kind !== 'recorded') {
    within('perSecond', profile.perSecond, 0.01, MOST_PER_SECOND);
    within('promptTokens', profile.promptTokens, 1, MOST_TOKENS);
    within('answerTokens', profile.answerTokens, 1, MOST_TOKENS);
    if ((model ?? profile.model) === '') throw new EngineError('invalid_request', 'Name the model to ask.', { param: 'model' });
  }
  if (request.url === null) return request;
  const url = baseAddress(request.url);
  if (!options.public) await checkPrivate(url);
  return { ...request, url };
}

function within(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most))
    throw new EngineError('invalid_request', `${name} must be from ${least} to ${most}.`, { param: name });
}
