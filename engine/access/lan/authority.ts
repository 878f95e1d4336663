// Owns the authority's files in the data folder: made once, kept as long as the folder, its key readable by this user alone.
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import { createAuthority, type Certified } from './certificates.ts';

const RENEW_BEFORE_MS = 30 * 86_400_000;

/** The authority of a data folder; made when there is none, or when it ends soon. @throws EngineError `access_unavailable` */
export async function openAuthority(dataDir: string, hostName: string, nowMs: number): Promise<Certified> {
  const folder = join(dataDir, 'tls');
  try {
    const kept = await readAuthority(folder);
    if (kept !== null && isLasting(kept, nowMs)) return kept;
    const made = await createAuthority(hostName, nowMs);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writePrivate(join(folder, 'ca.key'), made.privateKey);
    await writePrivate(join(folder, 'ca.crt'), made.certificate);
    return made;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('access_unavailable', `The authority for TLS cannot be opened in ${folder}: ${reason}`, { cause });
  }
}

/** SHA-256 of a certificate, as browsers and phones show it: `AB:CD:…`. */
export function fingerprintOf({ certificate }: Pick<Certified, 'certificate'>): string {
  return new X509Certificate(certificate).fingerprint256;
}

async function readAuthority(folder: string): Promise<Certified | null> {
  const [certificate, privateKey] = await Promise.all(['ca.crt', 'ca.key'].map((name) => readText(join(folder, name))));
  return certificate === undefined || privateKey === undefined || certificate === null || privateKey === null
    ? null
    : { certificate, privateKey };
}

function isLasting({ certificate }: Certified, nowMs: number): boolean {
  return Date.parse(new X509Certificate(certificate).validTo) - nowMs > RENEW_BEFORE_MS;
}

function readText(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw cause;
  });
}

async function writePrivate(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
  await chmod(`${path}.new`, 0o600);
  await rename(`${path}.new`, path);
}
