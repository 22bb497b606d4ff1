import { generateKeyPairSync, sign } from 'node:crypto';
import { request } from 'node:https';
import { pino } from 'pino';
import t from 'tap';
import { buildApp } from '../src/app.ts';
import { testApp } from './test-app.ts';

/** DER: a tag, a length, the content. */
const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const SEQUENCE = 0x30;
const sequence = (...parts: Buffer[]) => der(SEQUENCE, ...parts);

/** A self-signed certificate for localhost (RFC 5280), valid for this century. */
function selfSigned() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(Buffer.from('06082a8648ce3d040302', 'hex'));
  const commonName = sequence(
    Buffer.from('0603550403', 'hex'),
    der(0x0c, Buffer.from('localhost')),
  );
  const name = sequence(der(0x31, commonName));
  const time = (text: string) => der(0x18, Buffer.from(text));
  const toBeSigned = sequence(
    der(0xa0, Buffer.from('020102', 'hex')),
    Buffer.from('020101', 'hex'),
    ecdsaWithSha256,
    name,
    sequence(time('20260101000000Z'), time('20991231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = sequence(
    toBeSigned,
    ecdsaWithSha256,
    der(0x03, Buffer.from([0]), signature),
  ).toString('base64');
  return {
    cert: Buffer.from(`-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`),
    key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

t.test('with a certificate it speaks HTTPS itself', async (t) => {
  const { context } = await testApp(t);
  const tls = selfSigned();
  const app = await buildApp(context, { logger: pino({ level: 'silent' }), tls });
  t.teardown(() => app.close());
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  t.match(address, /^https:/);
  const { status, body, hsts } = await new Promise<Record<string, unknown>>((resolve, reject) => {
    request(
      `${address}/livez`,
      { ca: tls.cert, servername: 'localhost', agent: false },
      (answer) => {
        answer.setEncoding('utf8').on('data', (body) =>
          resolve({
            status: answer.statusCode,
            body,
            hsts: answer.headers['strict-transport-security'],
          }),
        );
      },
    )
      .on('error', reject)
      .end();
  });
  t.equal(status, 200);
  t.equal(body, '{"status":"ok"}');
  t.match(hsts, /^max-age=63072000/);
  await t.rejects(fetch(address.replace('https:', 'http:')), 'plain http gets no answer');
});
