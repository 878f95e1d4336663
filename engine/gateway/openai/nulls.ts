// Makes null mean absent, as clients that fill in every field expect.

/** The body without fields that are null, on its top level, in `stream_options` and in each message. */
function withoutNulls(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const entries = present(body).map(([key, value]): [string, unknown] => {
    if (key === 'messages' && Array.isArray(value)) return [key, value.map(dropNulls)];
    return key === 'stream_options' ? [key, dropNulls(value)] : [key, value];
  });
  return Object.fromEntries(entries);
}

/** The hook of a route whose body may hold such fields: they are dropped before it is validated. */
export async function dropNullFields(request: { body: unknown }): Promise<void> {
  request.body = withoutNulls(request.body);
}

/** As `dropNullFields`, at every depth below the fields named too. JSON schemas are left as they are: null has a meaning there. */
export function dropNullsWithin(...fields: readonly string[]): (request: { body: unknown }) => Promise<void> {
  return async (request) => {
    const { body } = request;
    if (!isRecord(body)) return;
    const entries = present(body).map(([key, value]): [string, unknown] => [key, fields.includes(key) ? deepWithoutNulls(value) : value]);
    request.body = Object.fromEntries(entries);
  };
}

const SCHEMA_FIELDS: ReadonlySet<string> = new Set(['schema', 'parameters', 'input_schema', 'arguments', 'input']);

function deepWithoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(deepWithoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(present(value).map(([key, inner]) => [key, SCHEMA_FIELDS.has(key) ? inner : deepWithoutNulls(inner)]));
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const present = (record: Readonly<Record<string, unknown>>): [string, unknown][] =>
  Object.entries(record).filter(([, value]) => value !== null);
const dropNulls = (value: unknown): unknown => (isRecord(value) ? Object.fromEntries(present(value)) : value);
