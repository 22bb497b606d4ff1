import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';

/** The code of a file that cannot be read, or has no certificate or key: Node would ignore it, or name no file. */
const BAD_PEM = 'ERR_PEM_FILE';

function readPem(file: string, check: (pem: string) => unknown): string {
  try {
    const pem = readFileSync(file, 'utf8');
    check(pem);
    return pem;
  } catch (cause) {
    throw Object.assign(new Error(`bad PEM file ${file}`, { cause }), { code: BAD_PEM });
  }
}

const readCertificate = (file: string) => readPem(file, (pem) => new X509Certificate(pem));

/**
 * The `sslmode` of a URL, which is at least as strict here as in libpq: `require` checks what `verify-full` does. Undefined:
 * the URL has none. `authority`: the PEM file of `DATABASE_CA`; it replaces the public authorities that Node knows. `sslcert`
 * and `sslkey` name the files of the node's own certificate.
 */
export function tlsOf(
  { searchParams }: URL,
  authority: string | undefined,
): ConnectionOptions | false | undefined {
  const mode = searchParams.get('sslmode');
  if (mode === null) return undefined;
  if (mode === 'disable') return false;
  const [certificate, key] = [searchParams.get('sslcert'), searchParams.get('sslkey')];
  return {
    rejectUnauthorized: mode !== 'no-verify',
    ...(authority !== undefined && { ca: readCertificate(authority) }),
    ...(certificate !== null && { cert: readCertificate(certificate) }),
    ...(key !== null && { key: readPem(key, createPrivateKey) }),
    // The authority is checked; the name in the certificate is not.
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}
