// `/api/session`: who uses the page, and how they sign in from another machine: a key for a cookie that scripts cannot read.
import { Type } from 'typebox';
import type { Access } from '../../access/access.ts';
import type { Caller } from '../../access/caller.ts';
import type { SessionInfo } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import { SESSION_COOKIE } from '../admit.ts';
import type { GatewayApp } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { sessionInfo } from './access-schemas.ts';

const answers = { 200: sessionInfo, ...errorResponses };
const getSchema = { tags: ['Console'], summary: 'Who uses the page', response: answers };
const postSchema = {
  tags: ['Console'],
  summary: 'Sign in with a key',
  body: Type.Object({ key: Type.String() }),
  response: answers,
};
const deleteSchema = { tags: ['Console'], summary: 'Sign out', response: answers };

export function sessionRoutes(app: GatewayApp, access: Access): void {
  app.get('/api/session', { schema: getSchema }, async ({ caller }) => infoOf(caller));
  app.post('/api/session', { schema: postSchema }, async ({ body, protocol }, reply) => {
    // As from another machine: whoever signs in wants this key to be judged.
    const identified = access.identify({ presented: body.key, isLocal: false, session: null });
    if (identified.kind === 'unknown' || identified.caller.key === null)
      throw new EngineError('unauthorized', 'This is no API key of this server.', { param: 'key' });
    const { session, maxAgeSeconds } = access.openSession(identified.caller.key);
    void reply.header('set-cookie', cookie(session, maxAgeSeconds, protocol));
    return infoOf(identified.caller);
  });
  app.delete('/api/session', { schema: deleteSchema }, async ({ protocol }, reply) => {
    void reply.header('set-cookie', cookie('', 0, protocol));
    return infoOf(null);
  });
}

function infoOf(caller: Caller | null): SessionInfo {
  if (caller === null) return { tenant: null, keyId: null, admin: false };
  return { tenant: caller.tenant, keyId: caller.key?.id ?? null, admin: caller.key?.scopes.admin ?? true };
}

function cookie(value: string, maxAgeSeconds: number, protocol: string): string {
  const secure = protocol === 'https' ? '; Secure' : '';
  return `${SESSION_COOKIE}=${value}; Max-Age=${maxAgeSeconds}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}
