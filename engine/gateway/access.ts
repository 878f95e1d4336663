// Decides whether a request may enter, from its method and headers alone: Host, Origin and media type.
// Pure: knows nothing about sockets, bodies or models.
import { isIP } from 'node:net';
import type { ErrorCode } from '../errors.ts';

/** Names by which this machine reaches itself; a page of another site cannot carry them as its host (DNS rebinding). */
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface AccessRules {
  /** Host names beyond loopback that are this server's own, lower case and without port. */
  readonly allowedHosts: readonly string[];
  /** Origins beyond this server's own pages, such as `https://chat.example`. */
  readonly allowedOrigins: readonly string[];
  /** A number of ours may stand in the Host header: the server listens beyond loopback. A page of another site has a name there. */
  readonly allowsAddresses: boolean;
}

export interface AccessQuestion {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** How it came. */
  readonly scheme: 'http' | 'https';
  readonly contentType: string | undefined;
  readonly hasBody: boolean;
  /** Whether the path takes uploads. A browser names the origin of a form's page too, and that has been judged by then. */
  readonly takesFiles?: boolean;
  /** Whether it is for the console, which steers the server: no page of another origin may, whatever the rules. */
  readonly console: boolean;
}

export type AccessDecision =
  /** `corsOrigin`: the foreign origin to name in the CORS headers; null when none is needed. */
  | { readonly kind: 'allowed'; readonly corsOrigin: string | null }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string };

/** Decides by Host, then Origin, then media type. */
export function decideAccess(question: AccessQuestion, rules: AccessRules): AccessDecision {
  const host = question.host ?? '';
  if (!isOwnHost(host, rules)) return refusedHost(host);
  const own = question.origin === undefined || question.origin.toLowerCase() === `${question.scheme}://${host.toLowerCase()}`;
  if (!own && question.console) return refusedOrigin(`Pages of ${question.origin} may not use the console of this server.`);
  if (!own && !rules.allowedOrigins.includes(question.origin ?? '')) {
    return refusedOrigin(`Pages of ${question.origin} may not use this server; name the origin in the allowed origins if they should.`);
  }
  if (!READING_METHODS.has(question.method) && !isJson(question.contentType) && !isUpload(question) && !isPlainWish(question)) {
    return {
      kind: 'refused',
      code: 'unsupported_media_type',
      reason: 'Send the body as JSON, with the header Content-Type: application/json.',
    };
  }
  return { kind: 'allowed', corsOrigin: own ? null : (question.origin ?? null) };
}

/** Clients of OpenAI's API name no type where they send nothing. A browser asks before a DELETE of another origin, and names that origin
 *  with every POST, which has been judged by now; the console does not rely on that alone. */
function isPlainWish({ method, contentType, hasBody, console }: AccessQuestion): boolean {
  return !console && !hasBody && contentType === undefined && (method === 'DELETE' || method === 'POST');
}

function refusedOrigin(reason: string): AccessDecision {
  return { kind: 'refused', code: 'host_not_allowed', reason };
}

function refusedHost(host: string): AccessDecision {
  const name = host === '' ? 'A request without a Host header' : `The Host header ${JSON.stringify(host)}`;
  return {
    kind: 'refused',
    code: 'host_not_allowed',
    reason: `${name} does not name this server. Use localhost or 127.0.0.1, or add the name to the allowed hosts.`,
  };
}

function isOwnHost(host: string, rules: AccessRules): boolean {
  const name = hostName(host);
  if (name === null) return false;
  if (LOOPBACK_NAMES.has(name) || rules.allowedHosts.includes(name)) return true;
  return rules.allowsAddresses && isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}

/** The name part of a Host header in lower case; null when it is not `name`, `name:port` or `[v6]:port`. */
export function hostName(host: string): string | null {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/?#@\s]+)(?::\d{1,5})?$/.exec(host);
  return parts?.[1]?.toLowerCase() ?? null;
}

function isUpload({ takesFiles, contentType }: AccessQuestion): boolean {
  return takesFiles === true && contentType !== undefined && /^multipart\/form-data\s*;/i.test(contentType.trim());
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/json\s*(;|$)/i.test(contentType.trim());
}

/** Whether an address to listen on is reachable from this machine only. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address === '[::1]' || /^127(\.\d{1,3}){3}$/.test(address);
}
