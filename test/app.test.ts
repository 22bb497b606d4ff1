import { request } from 'node:https';
import { pino } from 'pino';
import t from 'tap';
import { buildApp } from '../src/app.ts';
import { selfSigned } from './self-signed.ts';
import { testApp } from './test-app.ts';

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
