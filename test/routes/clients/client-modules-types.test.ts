import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { folder } from '../../databases.ts';
import { testApp } from '../../test-app.ts';

t.test('the types of the module are served beside it', async (t) => {
  const { inject } = await testApp(t);
  const { headers, payload } = await inject({ url: '/client.d.ts' });
  t.equal(headers['content-type'], 'text/plain; charset=utf-8');
  t.equal(payload, readFileSync('src/clients/client.d.ts', 'utf8'));
});

const PAGE = `
import { createClient, LatchkeyError, type Change } from 'latchkey/client';
import { createPasskeys } from 'latchkey/client/passkeys';
import { createMailCodes } from 'latchkey/client/mail-codes';
import { dpopFetch } from 'latchkey/client/dpop';
createClient({ url: '/', fetch: dpopFetch({ url: '/', bind: 'refresh' }) });
const client = createClient({ url: 'https://id.example.com', origins: ['https://api.example.com'] });
const challenge = await client.login({ email: 'ada@example.com', password: 'secret' });
if (challenge) await client.answerChallenge(challenge, { code: '123456' });
const stop: () => void = client.onChange(({ signedIn, reason }: Change) => console.log(signedIn, reason));
const answer: Response = await client.fetch('https://api.example.com/', { method: 'POST' });
const token: string | undefined = await client.token();
createClient({ url: '/', transport: 'body', storage: localStorage });
try { await client.logout(); } catch (error) { if (error instanceof LatchkeyError) console.log(error.code, error.retryAfter); }
console.log(stop, answer, token);
const passkeys = createPasskeys(client);
if (passkeys.isSupported) await passkeys.signIn();
const { name }: { name: string } = await passkeys.add('My phone');
console.log(name);
const mailCodes = createMailCodes(client);
const again = await mailCodes.signIn(await mailCodes.send('ada@example.com'), '40817263');
if (again) await client.answerChallenge(again, { code: '123456' });
// @ts-expect-error
dpopFetch({ url: '/', bind: 'access' });
// @ts-expect-error
createClient({});
// @ts-expect-error
await client.login({ email: 'ada@example.com' });
// @ts-expect-error
client.onChange(({ reason }) => reason === 'nonsense');
`;

t.test(
  'a page that uses them compiles under strict settings, and its mistakes do not',
  async (t) => {
    const directory = folder(t);
    writeFileSync(join(directory, 'page.ts'), PAGE);
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      target: 'esnext',
      module: 'esnext',
      moduleResolution: 'bundler',
      lib: ['esnext', 'dom'],
      types: [],
      paths: {
        'latchkey/client': [resolve('src/clients/client.d.ts')],
        'latchkey/client/mail-codes': [resolve('src/clients/client-mail-codes.d.ts')],
        'latchkey/client/passkeys': [resolve('src/clients/client-passkeys.d.ts')],
        'latchkey/client/dpop': [resolve('src/clients/client-dpop.d.ts')],
      },
    };
    const config = join(directory, 'tsconfig.json');
    writeFileSync(config, JSON.stringify({ compilerOptions, files: ['page.ts'] }));
    const said = await promisify(execFile)('node_modules/.bin/tsc', ['-p', config]).then(
      ({ stdout }) => stdout,
      ({ stdout }) => stdout,
    );
    t.equal(said, '');
  },
);
