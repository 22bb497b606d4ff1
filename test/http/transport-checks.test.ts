import t from 'tap';
import { refused } from '../refused.ts';
import { keysFor, testApp } from '../test-app.ts';

t.test('API-11 in production, plain http behind a proxy is refused, not redirected', async (t) => {
  const production = {
    NODE_ENV: 'production',
    ISSUER: 'https://auth.example.com',
    SIGNING_KEYS: keysFor('ES256'),
    TRUST_PROXY: '10.0.0.0/8',
    MAIL_URL: 'smtps://mail.example.com',
  };
  const { inject } = await testApp(t, { env: production });
  const call = (remoteAddress: string, proto?: string) =>
    inject({
      url: '/livez',
      remoteAddress,
      headers: { ...(proto !== undefined && { 'x-forwarded-proto': proto }) },
    });
  t.equal((await call('10.0.0.1', 'https')).statusCode, 200);
  t.equal((await call('10.0.0.1')).statusCode, 200, 'the health check of the proxy itself');
  const plain = await call('10.0.0.1', 'http');
  refused(t, plain, 403, 'https_required');
  t.equal(plain.headers.location, undefined);
  refused(t, await call('203.0.113.9', 'https'), 403, 'https_required');

  const development = await testApp(t, { env: { TRUST_PROXY: '10.0.0.0/8' } });
  const headers = { 'x-forwarded-proto': 'http' };
  const local = await development.inject({ url: '/livez', remoteAddress: '10.0.0.1', headers });
  t.equal(local.statusCode, 200);
  const { TRUST_PROXY: _, ...direct } = production;
  const unproxied = await testApp(t, { env: direct });
  t.equal((await unproxied.inject({ url: '/livez', headers })).statusCode, 200);
});
