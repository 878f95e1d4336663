// `/ca`: how a device comes to trust this server's certificates; `/ca.crt`: the certificate of the authority. Open to everybody.
import { X509Certificate } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { EngineError } from '../../errors.ts';
import type { GatewayApp } from '../context.ts';

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `certificate`: of the authority, in PEM; null while there is none. */
export function authorityRoutes(app: GatewayApp, certificate: () => string | null): void {
  app.get('/ca', { schema: { hide: true } }, async (_request, reply) => sendPage(reply, requireCertificate(certificate)));
  app.get('/ca.crt', { schema: { hide: true } }, async (_request, reply) => {
    const headers = { 'content-disposition': 'attachment; filename="millrace-ca.crt"', 'cache-control': 'no-store' };
    return reply.headers(headers).type('application/x-x509-ca-cert').send(requireCertificate(certificate));
  });
}

/** @throws EngineError `not_found` */
function requireCertificate(certificate: () => string | null): string {
  const pem = certificate();
  if (pem === null) throw new EngineError('not_found', 'There is no certificate to trust: this server is not open to the network.');
  return pem;
}

function sendPage(reply: FastifyReply, pem: string): FastifyReply {
  const headers = { 'content-security-policy': POLICY, 'cache-control': 'no-store' };
  return reply
    .headers(headers)
    .type('text/html; charset=utf-8')
    .send(page(new X509Certificate(pem).fingerprint256));
}

const page = (fingerprint: string): string => `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Trust this Millrace</title>
<style>body{font:16px/1.5 system-ui;max-width:42rem;margin:2rem auto;padding:0 1rem}code{overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{background:#16181c;color:#e6e8eb}a{color:#8ab4ff}}</style>
<h1>Trust this Millrace</h1>
<p>This server makes its own certificates. A device that trusts their authority reaches it without warnings.
The authority vouches for names and addresses of local networks alone; no public site can be imitated with it.</p>
<ol><li><a href="/ca.crt">Download the certificate</a>.</li>
<li>Compare its SHA-256 fingerprint with the one that the server shows at its own screen:<br><code>${fingerprint}</code><br>
If they differ, somebody stands between you and the server: stop here.</li>
<li>Install it:<ul>
<li>Windows: open the file, Install Certificate, Local Machine, “Trusted Root Certification Authorities”.</li>
<li>macOS: open the file, add it to the System keychain, set it to Always Trust.</li>
<li>iPhone, iPad: allow the profile under Settings, General, VPN &amp; Device Management; then switch it on under About, Certificate Trust Settings.</li>
<li>Android: Settings, Security, Encryption &amp; credentials, Install a certificate, CA certificate.</li>
<li>Linux: <code>sudo cp millrace-ca.crt /usr/local/share/ca-certificates/ &amp;&amp; sudo update-ca-certificates</code>; Firefox has a list of its own.</li>
<li>Programs: <code>curl --cacert millrace-ca.crt …</code>, <code>NODE_EXTRA_CA_CERTS=millrace-ca.crt</code>, <code>SSL_CERT_FILE=millrace-ca.crt</code> for Python.</li>
</ul></li></ol></html>`;
