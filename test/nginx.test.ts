import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { freePort } from './free-port.ts';
import { isInstalled, listening, nginx } from './nginx.ts';
import { keysFor, testApp } from './test-app.ts';

const [, inHttp = '', inServer = ''] =
  /^## nginx$[\s\S]*?^```nginx\n([\s\S]*?)^```$[\s\S]*?^```nginx\n([\s\S]*?)^```$/m.exec(
    readFileSync('.github/VERIFYING.md', 'utf8'),
  ) ?? [];

/** The recipe of the page behind an application. */
const behindNginx = (t: Test, latchkey: number) => nginx(t, { latchkey, inHttp, inServer });

const serviceAt = async (
  t: Test,
  env: Record<string, string>,
): Promise<{ port: number; service: Awaited<ReturnType<typeof testApp>> }> => {
  const service = await testApp(t, { env: { TRUST_PROXY: '127.0.0.1', ...env } });
  const address = await service.app.listen({ host: '127.0.0.1', port: 0 });
  return { service, port: Number(new URL(address).port) };
};

async function proven(t: Test): Promise<void> {
  t.test(
    'who is signed in reaches the application, by a name that no client can make up',
    async (t) => {
      const { service, port } = await serviceAt(t, {});
      const { access_token, session_id } = await service.signUp();
      const { get, heard } = await behindNginx(t, port);
      const claims = JSON.parse(
        Buffer.from(access_token.split('.')[1] as string, 'base64url').toString(),
      );
      const answer = await get('/api/', {
        Authorization: `Bearer ${access_token}`,
        'X-Auth-Subject': 'root',
        'X-Auth-Roles': 'admin',
        'X-Auth-Session': 'forged',
        X_Auth_Roles: 'admin',
      });
      t.match(answer, { status: 200, body: 'the application' });
      const headers = heard.flat();
      const of = (name: string) =>
        headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name);
      t.same(of('X-Auth-Subject'), [claims.sub]);
      t.same(of('X-Auth-Session'), [session_id]);
      t.notMatch(headers.join('\n'), /admin|root|forged|Bearer/i);

      const missing = await get('/api/');
      t.match(missing, { status: 401, headers: { 'www-authenticate': 'Bearer realm="Latchkey"' } });
      const forged = await get('/api/', { Authorization: 'Bearer x.y.z' });
      t.match(forged, {
        status: 401,
        headers: { 'www-authenticate': /error="invalid_token"/ },
      });
      const twice = await get('/api/', { Authorization: [`Bearer ${access_token}`, 'Bearer x'] });
      t.equal(twice.status, 400, 'of two tokens none is taken, and it is no fault');
      t.match(await get('/_whoami'), { status: 404 }, 'nobody asks it from outside');
      t.equal(heard.length, 1, 'nothing of that reached the application');

      const broken = await get('/api/broken', { Authorization: `Bearer ${access_token}` });
      t.match(broken, { status: 500, body: 'the application' }, 'its own faults stay its own');
      t.equal(broken.headers['retry-after'], undefined);
    },
  );

  t.test('a client that asks too often is told so, and when to come back', async (t) => {
    const { port } = await serviceAt(t, { RATE_LIMIT: '2/1m' });
    const { get, heard } = await behindNginx(t, port);
    t.equal((await get('/api/')).status, 401);
    t.equal((await get('/api/')).status, 401);
    const answer = await get('/api/');
    t.match(answer, { status: 429, headers: { 'retry-after': /^[1-6]?\d$/ } });
    t.equal(heard.length, 0);
  });

  t.test('what Latchkey forbids is forbidden', async (t) => {
    const { port } = await serviceAt(t, {
      NODE_ENV: 'production',
      ISSUER: 'https://auth.example.com',
      SIGNING_KEYS: keysFor('ES256'),
      MAIL_URL: 'smtps://mail.example.com',
    });
    const { get } = await behindNginx(t, port);
    t.match(await get('/api/'), { status: 403 }, 'plain http, as nginx says');
  });

  t.test('while no Latchkey answers, it is 503 and never a fault or a way in', async (t) => {
    const full = await listening(t, (_request, response) =>
      response.writeHead(503, { 'retry-after': '7' }).end(),
    );
    const busy = await behindNginx(t, full);
    t.match(await busy.get('/api/'), { status: 503, headers: { 'retry-after': '7' } });
    const resetting = await listening(t, ({ socket }) => socket.destroy());
    const lost = await behindNginx(t, resetting);
    t.match(await lost.get('/api/'), { status: 503, headers: { 'retry-after': '1' } });
    const gone = await behindNginx(t, await freePort());
    t.match(await gone.get('/api/'), { status: 503, headers: { 'retry-after': '1' } });
    const odd = await listening(t, (_request, response) => response.writeHead(404).end());
    const wrong = await behindNginx(t, odd);
    const answer = await wrong.get('/api/');
    t.equal(answer.status, 500, 'no Latchkey at all: the operator has to look');
    t.equal(answer.headers['retry-after'], undefined);
    t.same(
      [busy, lost, gone, wrong].flatMap(({ heard }) => heard),
      [],
    );
  });
}

if (await isInstalled()) {
  await proven(t);
} else {
  t.comment(
    'NOT RUN: nginx is not installed here, so the recipe in .github/VERIFYING.md was not tried',
  );
  t.pass('nginx is not installed here: its recipe was not tried');
}
