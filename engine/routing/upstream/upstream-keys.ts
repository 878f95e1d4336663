// Owns the keys of upstreams: one file that only this user may read, encrypted with AES-256-GCM.
// NOTE: the secret is MILLRACE_SECRET where it is set, else a file beside it: then backups and copies of the one file are safe, the disk as
// a whole is not. A keychain would need a native module on each platform, and a headless box has none.
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../../errors.ts';
import type { Log } from '../../log.ts';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export interface UpstreamKeysOptions {
  readonly dataDir: string;
  readonly log: Log;
  /** Default: `MILLRACE_SECRET` of the environment. */
  readonly passphrase?: string | undefined;
}

export class UpstreamKeys {
  readonly #path: string;
  readonly #secretPath: string;
  readonly #passphrase: string | undefined;
  /** Encrypted, by the name of the upstream. */
  #sealed: Readonly<Record<string, string>>;
  readonly #open = new Map<string, string>();

  constructor({ dataDir, log, passphrase = process.env['MILLRACE_SECRET'] }: UpstreamKeysOptions) {
    this.#path = join(dataDir, 'upstream-keys.json');
    this.#secretPath = join(dataDir, 'upstream-keys.secret');
    this.#passphrase = passphrase === '' ? undefined : passphrase;
    this.#sealed = readSealed(this.#path, log);
  }

  has(upstream: string): boolean {
    return Object.hasOwn(this.#sealed, upstream);
  }

  /** Null: none is kept. @throws EngineError `upstream_failed` when it cannot be decrypted */
  get(upstream: string): string | null {
    const known = this.#open.get(upstream);
    if (known !== undefined) return known;
    const sealed = this.has(upstream) ? this.#sealed[upstream] : undefined;
    if (sealed === undefined) return null;
    const key = unseal(sealed, this.#secret(), upstream);
    this.#open.set(upstream, key);
    return key;
  }

  /** Null forgets it. @throws EngineError `insufficient_storage` when it cannot be written */
  set(upstream: string, key: string | null): void {
    const { [upstream]: _, ...others } = this.#sealed;
    const next = key === null ? others : { ...others, [upstream]: seal(key, this.#secret(), upstream) };
    try {
      writePrivate(this.#path, `${JSON.stringify({ version: 1, keys: next }, null, 2)}\n`);
    } catch (cause) {
      throw new EngineError('insufficient_storage', 'The file of upstream keys cannot be written; the keys are as before.', { cause });
    }
    this.#sealed = next;
    if (key === null) this.#open.delete(upstream);
    else this.#open.set(upstream, key);
  }

  #secret(): Buffer {
    // The salt need not be secret nor change: a passphrase of one box.
    if (this.#passphrase !== undefined) return scryptSync(this.#passphrase, 'millrace upstream keys', KEY_BYTES);
    const known = readIfThere(this.#secretPath);
    if (known !== null && known.length === KEY_BYTES) return known;
    const fresh = randomBytes(KEY_BYTES);
    writePrivate(this.#secretPath, fresh);
    return fresh;
  }
}

/** The upstream's name is authenticated too: a key is never sent to another one. */
function seal(key: string, secret: Buffer, upstream: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', secret, iv).setAAD(Buffer.from(upstream));
  const data = Buffer.concat([cipher.update(key, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), data]).toString('base64');
}

function unseal(sealed: string, secret: Buffer, upstream: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, IV_BYTES)).setAAD(Buffer.from(upstream));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch (cause) {
    const remedy = 'Set MILLRACE_SECRET as it was, or enter the key again.';
    throw new EngineError('upstream_failed', `The key of ${upstream} cannot be decrypted. ${remedy}`, { cause });
  }
}

function readSealed(path: string, log: Log): Readonly<Record<string, string>> {
  const bytes = readIfThere(path);
  if (bytes === null) return {};
  try {
    const { keys } = JSON.parse(bytes.toString('utf8')) as { readonly keys?: unknown };
    if (typeof keys === 'object' && keys !== null) return keys as Record<string, string>;
  } catch (err) {
    log.error({ err, path }, 'the file of upstream keys is damaged; keys must be entered again');
  }
  return {};
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw cause;
  }
}

function writePrivate(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, content, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}
