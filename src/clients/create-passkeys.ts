import type * as client from './client.d.ts';
import type * as declared from './client-passkeys.d.ts';
import { type Answer, jsonOf, type OptionsJson, optionsOf } from './credential-json.ts';
import { LatchkeyError } from './problems.ts';

/** What a browser has. */
interface Browser {
  PublicKeyCredential?: { isConditionalMediationAvailable?(): Promise<boolean> };
  navigator: {
    credentials: Record<'get' | 'create', (options: object) => Promise<Answer>>;
  };
}

const browser = globalThis as unknown as Browser;

/** A challenge is valid for five minutes: autofill that waits longer gets a new one (ms). */
const FRESH = 240_000;

export const createPasskeys: typeof declared.createPasskeys = ({
  core: { base, send, signIn },
  ...client
}: client.Client) => {
  /** Ends what the browser is asking now: it asks one thing at a time. */
  let waiting = new AbortController();

  const ask = async (
    kind: 'get' | 'create',
    optionsFrom: () => Promise<{ options: OptionsJson }>,
    how: object = {},
  ): Promise<object> => {
    waiting.abort();
    const mine = new AbortController();
    waiting = mine;
    const { options } = await optionsFrom();
    return jsonOf(
      await browser.navigator.credentials[kind]({
        ...how,
        publicKey: optionsOf(options),
        signal: mine.signal,
      }),
    );
  };
  const assertion = (body = {}, how = {}) =>
    ask(
      'get',
      async () =>
        (await send('v1/login/passkey/options', { body })).answer as { options: OptionsJson },
      how,
    );

  /** With the access token; asks for a recent proof if it must. */
  const call = async (method: string, path = '', body?: object) => {
    const response = await client.fetch(`${base}v1/me/passkeys${path}`, {
      method,
      ...(body && {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('Content-Type') ?? '');
    const answer = isJson ? JSON.parse(text) : {};
    if (!response.ok) throw new LatchkeyError(response, answer);
    return answer;
  };

  return {
    isSupported: !!browser.PublicKeyCredential,
    signIn: async (options) => {
      await signIn('v1/login/passkey', { passkey: await assertion(options) });
    },
    autofill: async () => {
      if (!(await browser.PublicKeyCredential?.isConditionalMediationAvailable?.())) return false;
      for (;;) {
        const pending = assertion({}, { mediation: 'conditional' });
        const mine = waiting;
        let isStale = false;
        const alarm = setTimeout(() => {
          isStale = true;
          mine.abort();
        }, FRESH);
        try {
          return (await signIn('v1/login/passkey', { passkey: await pending })) === true;
        } catch (error) {
          if (!mine.signal.aborted) throw error;
          if (!isStale) return false;
        } finally {
          clearTimeout(alarm);
        }
      }
    },
    answerChallenge: async (challenge) =>
      client.answerChallenge(challenge, { passkey: await assertion() }),
    verify: async () => client.verify({ passkey: await assertion() }),
    list: async () => (await call('GET')).passkeys,
    add: async (name) => {
      const passkey = await ask('create', () => call('POST', '/options', {}));
      return call('POST', '', { passkey, name });
    },
    rename: (id, name) => call('PATCH', `/${id}`, { name }),
    remove: async (id) => {
      await call('DELETE', `/${id}`);
    },
  };
};
