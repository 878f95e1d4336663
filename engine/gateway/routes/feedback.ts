// `POST /v1/feedback`: what a user says of an answer.
import { Type } from 'typebox';
import { EngineError } from '../../errors.ts';
import type { RouterControl } from '../../routing/router-control.ts';
import type { GatewayApp } from '../context.ts';
import { errorResponses } from './response-schemas.ts';

const fields = {
  request_id: Type.String({ minLength: 1, maxLength: 200, description: 'Header `x-request-id` of the answer.' }),
  score: Type.Number({ minimum: 0, maximum: 1, description: '0: useless, 1: right. The last word on an answer counts.' }),
};

const schema = {
  tags: ['Feedback'],
  summary: 'Grade an answer',
  description: 'Grades are the measured quality of the model that answered; a model that falls under its bar is no longer routed to.',
  body: Type.Object(fields),
  response: { 200: Type.Object({ object: Type.Literal('feedback'), ...fields }), ...errorResponses },
};

export function feedbackRoute(app: GatewayApp, router: RouterControl): void {
  app.post('/v1/feedback', { schema }, async ({ body: { request_id, score } }) => {
    if (!router.feedback(request_id, score)) {
      const message = `The answer to ${JSON.stringify(request_id)} is not known: it was not given by this server, or it is too long ago.`;
      throw new EngineError('not_found', message, { param: 'request_id' });
    }
    return { object: 'feedback' as const, request_id, score };
  });
}
