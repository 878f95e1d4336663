// `GET /openapi.json`, and `/docs`: the reference page, whose script comes from the installed package and loads nothing from elsewhere.
import fastify from 'fastify';
import swagger from '@fastify/swagger';
import { ERROR_TABLE } from '../../errors.ts';
import type { GatewayApp } from '../context.ts';

/** What the reference page needs: it styles itself with inline styles and data fonts, and builds its parsers at run time. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; " +
  "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Collects the schemas of the routes that are registered after it. */
export async function collectSchemas(app: GatewayApp, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Millrace', version, description: describeApi() },
      tags: [
        'Chat',
        'Completions',
        'Responses',
        'Embeddings',
        'Reranking',
        'Classification',
        'Batches',
        'Models',
        'Ollama',
        'Health',
        'Console',
      ].map((name) => ({ name })),
    },
  });
}

export function docsRoutes(app: GatewayApp): void {
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  const render = once(referencePages);
  app.get('/docs', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs/', 301));
  app.get('/docs/*', { schema: { hide: true } }, async (request, reply) => {
    const page = await (await render())(request.url);
    if (page.statusCode !== 200) return reply.callNotFound();
    return reply.header('content-type', page.contentType).header('content-security-policy', DOCS_POLICY).send(page.body);
  });
}

interface Page {
  readonly statusCode: number;
  readonly contentType: string;
  readonly body: string;
}

/** The package's script is 5 MB of source text, held in memory once imported: only a reader of the page pays for it. */
async function referencePages(): Promise<(url: string) => Promise<Page>> {
  const { default: reference } = await import('@scalar/fastify-api-reference');
  const pages = fastify();
  await pages.register(reference, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'Millrace API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  });
  return async (url) => {
    const { statusCode, headers, body } = await pages.inject({ url });
    return { statusCode, contentType: String(headers['content-type']), body };
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => (made ??= make());
}

function describeApi(): string {
  const rows = Object.entries(ERROR_TABLE).map(
    ([code, { status, type, meaning }]) => `| \`${code}\` | ${status} | \`${type}\` | ${meaning} |`,
  );
  return [
    'The OpenAI API of the models on this machine. A field of `null` counts as absent; unknown fields are ignored; a documented field is honoured or refused by name.',
    '## Errors',
    'Every error has the shape `{"error": {"message", "type", "param", "code"}}`; in a stream that has begun it is the last frame.',
    ['| code | status | type | meaning |', '|-|-|-|-|', ...rows].join('\n'),
  ].join('\n\n');
}
