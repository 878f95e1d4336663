// Writes certificates: an authority of this machine's own, and what it vouches for. The only import of @peculiar/x509.
import 'reflect-metadata';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { isPermitted, NAME_CONSTRAINTS_OID, nameConstraints } from './name-constraints.ts';

/** In PEM. */
export interface Certified {
  readonly certificate: string;
  readonly privateKey: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
/** Apple's devices take certificates of an authority that a person installed for at most 825 days, others for less: CA/Browser Forum's 398. */
const SERVER_DAYS = 397;
/** Clocks of other devices may be behind. */
const BACKDATED_MS = 3_600_000;

/** An authority for names of the local network. `hostName`: this machine's own name, which may have no dot. */
export async function createAuthority(hostName: string, nowMs: number): Promise<Certified> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=Millrace on ${escaped(hostName)}`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + AUTHORITY_DAYS * DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.Extension(NAME_CONSTRAINTS_OID, true, nameConstraints(hostName)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), privateKey: await exported(keys.privateKey) };
}

export interface ServerNames {
  readonly hostName: string;
  /** Names and addresses; those that the authority may not vouch for are left out. */
  readonly names: readonly string[];
}

/** A server's certificate for these names, with the authority's own behind it. */
export async function createServerCertificate(authority: Certified, { hostName, names }: ServerNames, nowMs: number): Promise<Certified> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await newKeys();
  const permitted = names.filter((name) => isPermitted(name, hostName));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${escaped(permitted[0] ?? hostName)}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await imported(authority.privateKey),
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + SERVER_DAYS * DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(permitted.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n${authority.certificate}`, privateKey: await exported(keys.privateKey) };
}

function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function exported(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

function imported(pem: string): Promise<CryptoKey> {
  const [bytes] = x509.PemConverter.decode(pem);
  return crypto.subtle.importKey('pkcs8', bytes ?? new ArrayBuffer(0), ALGORITHM, false, ['sign']);
}

/** In a distinguished name (RFC 4514, section 2.4) these mean something. */
const escaped = (text: string): string => text.replaceAll(/[,+"\\<>;=#]/g, '_');
