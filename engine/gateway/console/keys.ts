// `/api/keys`: API keys as people manage them. `/api/pairing` and `/api/pair`: how a new device gets one. `/api/audit`: who did what.
import { Type } from 'typebox';
import type { Access } from '../../access/access.ts';
import { checkWish, plainWish } from '../../access/key-wish.ts';
import type { KeyWish } from '../../contract.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { auditEntries, keyInfo, keyRows, newKey, pairingCode } from './access-schemas.ts';

const DAY_MS = 86_400_000;
const MOST_GRACE_MS = 30 * DAY_MS;
const AUDIT_ENTRIES = 200;

const idParams = Type.Object({ id: Type.String() });
/** What each value must be is the room's business, which names what it refuses. */
const wishBody = Type.Object(
  { tenant: Type.String() },
  { additionalProperties: true, description: 'What is left out is as in a plain key.' },
);
const listSchema = { tags: ['Console'], summary: 'List the API keys', response: { 200: keyRows, ...errorResponses } };
const createSchema = {
  tags: ['Console'],
  summary: 'Make an API key',
  description: 'The secret is in this answer and nowhere else.',
  body: wishBody,
  response: { 201: newKey, ...errorResponses },
};
const rotateSchema = {
  tags: ['Console'],
  summary: 'Replace the secret of a key',
  params: idParams,
  body: Type.Object({
    graceMs: Type.Optional(Type.Integer({ minimum: 0, maximum: MOST_GRACE_MS, description: 'How long the old one still works.' })),
  }),
  response: { 200: newKey, ...errorResponses },
};
const revokeSchema = {
  tags: ['Console'],
  summary: 'Refuse a key from now on',
  params: idParams,
  response: { 200: keyInfo, ...errorResponses },
};
const offerSchema = {
  tags: ['Console'],
  summary: 'Show a code by which a new device gets a key',
  description: 'Six digits, good for one device, five minutes and five tries.',
  body: wishBody,
  response: { 201: pairingCode, ...errorResponses },
};
const pairSchema = {
  tags: ['Console'],
  summary: 'Get a key by a code',
  body: Type.Object({ code: Type.String() }),
  response: { 201: newKey, ...errorResponses },
};
const auditSchema = { tags: ['Console'], summary: 'What administrators did lately', response: { 200: auditEntries, ...errorResponses } };

export function keyRoutes(app: GatewayApp, context: GatewayContext, access: Access): void {
  app.get('/api/keys', { schema: listSchema }, async () => access.list());
  app.post('/api/keys', { schema: createSchema }, async ({ body }, reply) => reply.code(201).send(await access.create(wishOf(body))));
  app.post('/api/keys/:id/rotate', { schema: rotateSchema }, async ({ params, body }) => access.rotate(params.id, body.graceMs ?? DAY_MS));
  app.delete('/api/keys/:id', { schema: revokeSchema }, async ({ params }) => access.revoke(params.id));
  app.post('/api/pairing', { schema: offerSchema }, async ({ body }, reply) =>
    reply.code(201).send(access.pairing.offer(checkWish(wishOf(body), context.now()))),
  );
  app.post('/api/pair', { schema: pairSchema }, async ({ body }, reply) =>
    reply.code(201).send(await access.create(access.pairing.claim(body.code))),
  );
  app.get('/api/audit', { schema: auditSchema }, async () => access.audit.last(AUDIT_ENTRIES));
  noteActions(app, context, access);
}

function wishOf(body: { readonly tenant: string } & Partial<KeyWish>): KeyWish {
  const plain = plainWish(body.tenant);
  const { expiresMs = plain.expiresMs, priority = plain.priority } = body;
  return { ...plain, expiresMs, priority, scopes: { ...plain.scopes, ...body.scopes }, limits: { ...plain.limits, ...body.limits } };
}

/** Whatever changes something and was let in. */
function noteActions(app: GatewayApp, { now }: GatewayContext, access: Access): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, caller, params, socket } = request;
    const route = routeOptions.url ?? '';
    if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || !route.startsWith('/api/')) return;
    const subject = typeof params === 'object' && params !== null && 'id' in params ? String(params.id) : null;
    const who = { tenant: caller?.tenant ?? 'unknown', keyId: caller?.key?.id ?? null, address: socket.remoteAddress ?? '' };
    access.audit.note({ atMs: now(), ...who, action: `${method} ${route}`, subject, status: reply.statusCode });
  });
}
