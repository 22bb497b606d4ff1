import { decodeJwt } from 'jose';
import t, { type Test } from 'tap';
import type { Challenge } from '../../src/clients/client.d.ts';
import { createClient } from '../../src/clients/client.js';
import { createPasskeys } from '../../src/clients/client-passkeys.js';
import { SoftAuthenticator } from '../passkeys.ts';
import { factor, signedIn } from '../people.ts';
import { PASSWORD, testApp } from '../test-app.ts';
import { storageIn } from './storage.ts';

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, 'base64url')).buffer;
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

interface Asked {
  publicKey: {
    challenge: Uint8Array;
    user?: { id: Uint8Array };
    excludeCredentials?: { id: Uint8Array }[];
  };
  signal: AbortSignal;
  mediation?: string;
}

/** What a browser gives to pages, with its bytes as buffers. */
const credentialOf = ({ response, id, type }: Record<string, unknown>) => {
  const { transports, ...parts } = response as Record<string, unknown>;
  const buffers = Object.entries(parts).map(([name, text]) => [name, bytesOf(text as string)]);
  return {
    id,
    type,
    rawId: bytesOf(id as string),
    response: {
      ...Object.fromEntries(buffers),
      ...(transports !== undefined && { getTransports: () => transports }),
    },
  };
};

/** A page of the service in a browser with this authenticator, whose user does what `act` says. */
async function page(t: Test, act: (asked: Asked) => Promise<void> = async () => {}) {
  const node = await testApp(t);
  const url = await node.app.listen({ host: '127.0.0.1', port: 0 });
  const ada = await signedIn(node, 'ada@example.com', { email_verified_at: 1 });
  const device = new SoftAuthenticator();
  const asked: Asked[] = [];
  const answer = async (kind: 'get' | 'create', options: Asked) => {
    asked.push(options);
    await act(options);
    options.signal.throwIfAborted();
    const { challenge, user } = options.publicKey;
    const json = { challenge: textOf(challenge), user: { id: user ? textOf(user.id) : '' } };
    return credentialOf(device[kind](json));
  };
  t.intercept(globalThis, 'navigator', {
    configurable: true,
    value: {
      credentials: {
        get: (options: Asked) => answer('get', options),
        create: (options: Asked) => answer('create', options),
      },
    },
  });
  const items = new Map([['latchkey.refresh', ada.refresh_token]]);
  const client = createClient({ url, transport: 'body', storage: storageIn(items) });
  t.teardown(() => client.close());
  return { node, ada, device, asked, client, passkeys: createPasskeys(client) };
}

const browserCan = (t: Test, value: object | undefined) =>
  t.intercept(
    globalThis as never,
    'PublicKeyCredential' as never,
    { configurable: true, value } as never,
  );

t.test('an app adds, lists, renames and removes a passkey', async (t) => {
  const { passkeys, device, asked } = await page(t);
  const made = await passkeys.add('My phone');
  t.match(made, { name: 'My phone', transports: ['internal'] });
  t.match(await passkeys.list(), [{ id: made.id }]);
  t.match(await passkeys.rename(made.id, 'Laptop'), { name: 'Laptop' });
  await passkeys.remove(made.id);
  t.same(await passkeys.list(), []);
  await t.rejects(passkeys.remove(made.id), { name: 'LatchkeyError', code: 'not_found' });
  await passkeys.add('My phone');
  await passkeys.add('My phone').catch(() => {});
  const excluded = asked.at(-1)?.publicKey.excludeCredentials ?? [];
  t.same(
    excluded.map(({ id }) => textOf(id)),
    [device.id],
  );
});

t.test('a passkey signs in, is the second factor, and a proof later', async (t) => {
  const { node, ada, passkeys, client } = await page(t);
  const amr = async () => decodeJwt((await client.token()) as string)['amr'];
  await passkeys.add('My phone');
  await passkeys.verify();
  t.same(await amr(), ['pwd', 'hwk', 'user', 'mfa']);
  await client.logout();
  await t.rejects(passkeys.signIn({ email: 'bob@example.com' }), { code: 'passkey_refused' });
  t.equal(client.signedIn, false);
  await passkeys.signIn({ email: 'ada@example.com' });
  t.same(await amr(), ['hwk', 'user']);
  await client.logout();
  await node.context.users.change(ada.id, (user) => ({
    user: { ...user, mfa: factor(node, user).mfa },
    result: undefined,
  }));
  const challenge = await client.login({ email: 'ada@example.com', password: PASSWORD });
  t.match(challenge?.methods, ['passkey', 'totp']);
  await passkeys.answerChallenge(challenge as Challenge);
  t.same(await amr(), ['pwd', 'hwk', 'user', 'mfa']);
});

t.test('a browser without passkeys says so, and offers none', async (t) => {
  for (const can of [undefined, {}, { isConditionalMediationAvailable: async () => false }]) {
    browserCan(t, can);
    const { passkeys, asked } = await page(t);
    t.equal(passkeys.isSupported, can !== undefined);
    t.equal(await passkeys.autofill(), false);
    t.same(asked, []);
  }
});

/** Waits until the page asks no more, which may have been before. */
const forEver = ({ signal }: Asked) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });

t.test('autofill signs in when the user chooses a passkey', async (t) => {
  browserCan(t, { isConditionalMediationAvailable: async () => true });
  const { passkeys, client, asked } = await page(t);
  await passkeys.add('My phone');
  await client.logout();
  t.equal(await passkeys.autofill(), true);
  t.equal(asked.at(-1)?.mediation, 'conditional');
  t.equal(client.signedIn, true);
});

t.test('autofill ends when something else is asked, and passes on what goes wrong', async (t) => {
  browserCan(t, { isConditionalMediationAvailable: async () => true });
  const { passkeys } = await page(t, async (asked) => {
    if (asked.mediation) await forEver(asked);
  });
  const autofill = passkeys.autofill();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await passkeys.add('My phone');
  t.equal(await autofill, false);

  const broken = await page(t, async () => {
    throw new TypeError('broken');
  });
  await t.rejects(broken.passkeys.autofill(), { message: 'broken' });
});

t.test('autofill that waits for long gets a new challenge', async (t) => {
  browserCan(t, { isConditionalMediationAvailable: async () => true });
  const { setTimeout: real } = globalThis;
  // Four minutes pass at once.
  t.intercept(globalThis, 'setTimeout', {
    configurable: true,
    value: (work: () => void, length: number) => real(work, length === 240_000 ? 100 : length),
  });
  let count = 0;
  const { passkeys, asked, client } = await page(t, async (options) => {
    count += options.mediation ? 1 : 0;
    if (options.mediation && count < 3) await forEver(options);
  });
  await passkeys.add('My phone');
  t.equal(await passkeys.autofill(), true);
  const challenges = asked.slice(1).map(({ publicKey }) => textOf(publicKey.challenge));
  t.equal(new Set(challenges).size, 3);
  t.equal(client.signedIn, true);
});
