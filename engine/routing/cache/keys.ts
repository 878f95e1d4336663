// Owns what makes two requests the same: the keys of rows and answers. A key holds everything that the result depends on, so that an
// entry of a model that was removed or converted anew is never found again. Pure.
import { hash } from 'node:crypto';
import type { GenerateRequest, HostedModel } from '../../fleet/host.ts';
import type { EncodeInput } from '../../runner/protocol.ts';

/** Changes when the shape of keys or values does. */
const FORMAT = 1;

/** sha256 in base64url: 43 characters. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** JSON with sorted keys: the same text for the same value, however it was put together. Undefined fields are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (isPlainObject(inner) ? sorted(inner) : inner));
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of the files that answer: another installation of the same model, another variant or another conversion has another one. */
export function modelIdentity({ manifest, variant }: Pick<HostedModel, 'manifest' | 'variant'>): string {
  const { id, createdAt, source } = manifest;
  const tokenizer = manifest.kind === 'infer' ? null : manifest.tokenizer;
  return digest(canonicalJson([FORMAT, id, createdAt, source, tokenizer, manifest.variants[variant]]));
}

/** Of one generation: model, prompt and every parameter, as they are once defaults are filled in and fields without effect are gone. */
export function answerKey(scope: string, identity: string, { prompt, params }: GenerateRequest): string {
  const { grammar, ...rest } = params;
  // Properties are written in the schema's own order, so that another order is another grammar.
  const constraint = grammar === undefined ? '' : `\n${JSON.stringify(grammar)}`;
  return digest(`${scope}\nanswer\n${identity}\n${canonicalJson([prompt, rest])}${constraint}`);
}

/** Of the row of one input; `form` names what else the row depends on. The text is taken as the model gets it, letter by letter. */
export function rowKey(prefix: string, input: EncodeInput): string {
  switch (input.kind) {
    case 'text':
      return digest(`${prefix}text\n${input.text}`);
    case 'pair':
      return digest(`${prefix}pair\n${input.text.length}\n${input.text}${input.other}`);
    case 'tokens':
      return digest(`${prefix}tokens\n${input.tokens.join()}`);
  }
}

/** What the keys of all rows of one request have in common. `form`: how texts that are too long are cut; empty where they are refused. */
export function rowPrefix(scope: string, identity: string, form: string): string {
  return `${scope}\nrow\n${identity}\n${form}\n`;
}

/** Who sees an entry: one tenant, or all. */
export function scopeOf(tenant: string, isShared: boolean): string {
  return isShared ? 'shared' : `tenant ${JSON.stringify(tenant)}`;
}
