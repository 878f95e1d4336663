// `/v1/files`: upload, list, read and delete.
import { Readable } from 'node:stream';
import { Type } from 'typebox';
import type { BatchControl } from '../../jobs/batches/batch-control.ts';
import { queryCompiler } from '../console/query.ts';
import type { GatewayApp } from '../context.ts';
import { invalid } from '../openai/faults.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { fileList, fileObject, toFileObject, toList } from './objects.ts';
import { ownerOf } from './owner.ts';
import { readUpload, type Upload } from './upload.ts';

const params = Type.Object({ id: Type.String() });
const uploadSchema = {
  tags: ['Batches'],
  summary: 'Upload a file',
  description:
    'multipart/form-data with `file` (JSON lines, 200 MB at most), `purpose` = `batch`, and optionally `expires_after[anchor]` = `created_at` ' +
    'and `expires_after[seconds]`. Without these a file is kept for 30 days.',
  consumes: ['multipart/form-data'],
  response: { 200: fileObject, ...errorResponses },
};
const listSchema = {
  tags: ['Batches'],
  summary: 'List files',
  querystring: Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    after: Type.Optional(Type.String()),
    order: Type.Optional(Type.Enum(['asc', 'desc'])),
    purpose: Type.Optional(Type.String()),
  }),
  response: { 200: fileList, ...errorResponses },
};
const oneSchema = { tags: ['Batches'], summary: 'A file', params, response: { 200: fileObject, ...errorResponses } };
const contentSchema = {
  tags: ['Batches'],
  summary: 'The bytes of a file',
  params,
  response: {
    200: { description: 'The file.', content: { 'application/jsonl': { schema: Type.Unsafe<Readable>(Type.String()) } } },
    ...errorResponses,
  },
};
const deleteSchema = {
  tags: ['Batches'],
  summary: 'Delete a file',
  params,
  response: { 200: Type.Object({ id: Type.String(), object: Type.Literal('file'), deleted: Type.Boolean() }), ...errorResponses },
};

const LIST_LIMIT = 10_000;
const LEAST_LIFE_SECONDS = 3_600;
const MOST_LIFE_SECONDS = 2_592_000;

export function fileRoutes(app: GatewayApp, batches: () => Promise<BatchControl>): void {
  // The body is read by the route itself, while it arrives.
  app.addContentTypeParser('multipart/form-data', (_request, _payload, done) => done(null));
  app.post('/v1/files', { schema: uploadSchema }, async (request) => {
    const control = await batches();
    const upload = await readUpload(request.raw, control);
    try {
      requirePurpose(upload);
      const head = { filename: upload.filename, lifeMs: lifeMs(upload.fields) };
      return toFileObject(await control.keep(upload.received, head, ownerOf(request)));
    } catch (cause) {
      await control.discard(upload.received);
      throw cause;
    }
  });
  app.get('/v1/files', { schema: listSchema, validatorCompiler: queryCompiler }, async (request) => {
    const { limit = LIST_LIMIT, after = null, order = 'desc', purpose = null } = request.query;
    return toList(await (await batches()).files({ limit, after, order, purpose }, ownerOf(request)), toFileObject);
  });
  app.get('/v1/files/:id', { schema: oneSchema }, async (request) =>
    toFileObject(await (await batches()).file(request.params.id, ownerOf(request))),
  );
  app.get('/v1/files/:id/content', { schema: contentSchema }, async (request, reply) => {
    const control = await batches();
    const file = await control.file(request.params.id, ownerOf(request));
    const disposition = `attachment; filename*=UTF-8''${encodeURIComponent(file.filename)}`;
    return reply
      .type('application/jsonl')
      .header('content-disposition', disposition)
      .send(Readable.from(control.content(file)));
  });
  app.delete('/v1/files/:id', { schema: deleteSchema }, async (request) => {
    const { id } = request.params;
    await (await batches()).deleteFile(id, ownerOf(request));
    return { id, object: 'file' as const, deleted: true };
  });
}

/** @throws EngineError `invalid_request` */
function requirePurpose({ fields }: Upload): void {
  if (fields.get('purpose') !== 'batch') throw invalid('purpose', 'purpose must be batch: files serve batches alone here.');
}

/** @throws EngineError `invalid_request` */
function lifeMs(fields: Upload['fields']): number | null {
  const [anchor, given] = [fields.get('expires_after[anchor]'), fields.get('expires_after[seconds]')];
  if (anchor === undefined && given === undefined) return null;
  if (anchor !== 'created_at') throw invalid('expires_after.anchor', 'expires_after.anchor must be created_at.');
  const seconds = Number(given);
  if (Number.isInteger(seconds) && seconds >= LEAST_LIFE_SECONDS && seconds <= MOST_LIFE_SECONDS) return seconds * 1000;
  throw invalid(
    'expires_after.seconds',
    `expires_after.seconds must be a whole number from ${LEAST_LIFE_SECONDS} to ${MOST_LIFE_SECONDS}.`,
  );
}
