import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LightMyRequestResponse } from 'fastify';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import Provider, { type Configuration } from 'oidc-provider';
import type { Test } from 'tap';
import { type TestApp, TestClock } from './test-app.ts';

export const HTML = { accept: 'text/html,application/xhtml+xml' };
export const SECRET = 'a secret of thirty-two characters';

/** Its clients, and how each authenticates. */
const METHODS = {
  latchkey: 'client_secret_post',
  basic: 'client_secret_basic',
  public: 'none',
} as const;

/** What the provider says of a person besides `sub`. */
export interface Claims {
  email?: string;
  email_verified?: boolean;
  name?: string;
}

async function newKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' };
}

interface Options {
  /** More settings of the provider. */
  more?: Configuration;
  /** The IDs of its clients; all of them otherwise. */
  clients?: string[];
  port?: number;
}

/** A real provider (`oidc-provider`) in this process. Whoever comes is signed in as `user` at once. */
export class OutsideProvider {
  readonly #options: Options;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #keys: JWK[] = [];
  #provider: Provider | undefined;
  #service = 'http://localhost:3000';
  issuer = '';
  /** Who is signed in there. undefined: the person cancels. */
  user: string | undefined = 'ada';
  readonly people = new Map<string, Claims>();
  /** The paths that were asked for. */
  readonly asked: string[] = [];
  /** It answers with a form, as if it was asked to. */
  answersWithForm = false;
  /** What is wrong with it. */
  fault: 'none' | 'slow' | 'broken' | 'not json' = 'none';

  constructor(options: Options) {
    this.#options = options;
  }

  async open(): Promise<void> {
    this.#server.listen(this.#options.port ?? 0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.issuer = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    await this.rotateKeys();
  }

  /** Another key signs from now on, and the one before is gone. */
  async rotateKeys(): Promise<void> {
    this.#keys = [await newKey(`key-${Date.now()}-${Math.random()}`)];
    this.#provider = this.#build();
  }

  /** It sends browsers back to the service with this ISSUER from now on. */
  serve(issuer: string): void {
    this.#service = issuer;
    this.#provider = this.#build();
  }

  #build(): Provider {
    const { more, clients } = this.#options;
    const callbacks = ['1', '2'].map((slot) => `${this.#service}/v1/login/${slot}/callback`);
    return new Provider(this.issuer, {
      clients: Object.entries(METHODS)
        .filter(([client_id]) => clients === undefined || clients.includes(client_id))
        .map(([client_id, token_endpoint_auth_method]) => ({
          client_id,
          ...(token_endpoint_auth_method !== 'none' && { client_secret: SECRET }),
          redirect_uris: callbacks,
          token_endpoint_auth_method,
          id_token_signed_response_alg: 'ES256',
        })),
      jwks: { keys: this.#keys as never },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      conformIdTokenClaims: false,
      cookies: { keys: ['cookie key'] },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      features: { devInteractions: { enabled: false } },
      findAccount: (_context, sub) => ({
        accountId: sub,
        claims: async () => ({ sub, ...this.people.get(sub) }),
      }),
      ...more,
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const provider = this.#provider as Provider;
    const path = String(request.url).split('?', 1)[0] as string;
    this.asked.push(path);
    if (this.answersWithForm && path === '/auth') request.url += '&response_mode=form_post';
    if (this.fault === 'slow') await sleep(7_000, undefined, { ref: false });
    if (this.fault === 'broken') response.writeHead(500).end();
    else if (this.fault === 'not json')
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Maintenance</p>');
    else if (path.startsWith('/interaction/')) await this.#interact(provider, request, response);
    else provider.callback()(request, response);
  }

  async #interact(provider: Provider, request: IncomingMessage, response: ServerResponse) {
    const { prompt, params, session, grantId } = await provider.interactionDetails(
      request,
      response,
    );
    if (this.user === undefined)
      return provider.interactionFinished(request, response, { error: 'access_denied' });
    if (prompt.name === 'login')
      return provider.interactionFinished(request, response, {
        login: { accountId: this.user },
      });
    const grant =
      (grantId && (await provider.Grant.find(grantId))) ||
      new provider.Grant({
        accountId: String(session?.accountId),
        clientId: String(params['client_id']),
      });
    grant.addOIDCScope('openid email profile');
    return provider.interactionFinished(request, response, {
      consent: { grantId: await grant.save() },
    });
  }

  /** An ID token as this provider signs them. `claims`: instead of its own. */
  async idToken(claims: Record<string, unknown>, { key = this.#keys[0], alg = 'ES256' } = {}) {
    const now = Math.floor(Date.now() / 1_000);
    const own = { iss: this.issuer, sub: 'ada', aud: 'app', iat: now, exp: now + 3_600 };
    return new SignJWT({ ...own, ...claims })
      .setProtectedHeader({ alg, kid: String(key?.kid) })
      .sign(await importJWK(key as JWK, alg));
  }

  /** Nobody answers any more. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export async function outsideProvider(t: Test, options: Options = {}): Promise<OutsideProvider> {
  const provider = new OutsideProvider(options);
  await provider.open();
  t.teardown(() => provider.close());
  return provider;
}

/** The variables of one slot. */
export const slotOf = (
  { issuer }: Pick<OutsideProvider, 'issuer'>,
  slot = '1',
  more: Record<string, string> = {},
): Record<string, string> =>
  Object.fromEntries(
    Object.entries({
      ISSUER: issuer,
      NAME: `Provider ${slot}`,
      CLIENT_ID: 'latchkey',
      CLIENT_SECRET: SECRET,
      ID_TOKEN_AUDIENCES: 'app, other-app',
      ...more,
    }).map(([name, value]) => [`OIDC_${slot}_${name}`, value]),
  );

/** The cookies of an answer, by name. */
export function cookiesIn({ headers }: Pick<LightMyRequestResponse, 'headers'>) {
  const lines = [headers['set-cookie'] ?? []].flat();
  return new Map(
    lines.map((line) => (line.split(';', 1)[0] as string).split('=', 2) as [string, string]),
  );
}

export const cookieHeader = (cookies: Map<string, string>): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

/** Follows a URL of the provider until it leads elsewhere, as a browser does. Returns where to. */
export async function followedAt(provider: OutsideProvider, from: string): Promise<string> {
  const jar = new Map<string, string>();
  let url = from;
  while (url.startsWith(provider.issuer)) {
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie: cookieHeader(jar) } });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = (line.split(';', 1)[0] as string).split('=', 2) as [string, string];
      jar.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null)
      throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
    url = new URL(location, url).href;
  }
  return url;
}

/** Where a callback URL leads in the service. */
export const pathOf = (url: string): string => url.slice(new URL(url).origin.length);

/** The whole way: to the provider, back, and what the service answers then. */
export async function signInAt(
  { inject }: Pick<TestApp, 'inject'>,
  provider: OutsideProvider,
  { slot = '1', query = '', headers = {} as Record<string, string>, accept = HTML as object } = {},
): Promise<LightMyRequestResponse> {
  const left = await inject({ url: `/v1/login/${slot}${query}`, headers: { ...HTML, ...headers } });
  const back = await followedAt(provider, String(left.headers.location));
  const cookie = cookieHeader(cookiesIn(left));
  return inject({ url: pathOf(back), headers: { ...accept, cookie } });
}

/** A clock that begins with the real time: the provider has no other. */
export function presentClock(): TestClock {
  const clock = new TestClock();
  clock.now = Date.now();
  return clock;
}

/** The code that a browser is sent to a page with, if it is one of the application's. */
export const errorAt = ({ headers }: LightMyRequestResponse): string | null =>
  new URL(String(headers.location)).searchParams.get('error');

/** The subjects of the letters, from now on. */
export function subjectsOf({ context: { outbox } }: Pick<TestApp, 'context'>): string[] {
  const subjects: string[] = [];
  const post = outbox.post.bind(outbox);
  outbox.post = (to, compose) => {
    subjects.push(`${to}: ${compose().subject}`);
    post(to, compose);
  };
  return subjects;
}

/** The access token of somebody who has got cookies. */
export async function refreshed(
  { post }: Pick<TestApp, 'post'>,
  answer: LightMyRequestResponse,
): Promise<string> {
  const origin = 'http://localhost:3000';
  const headers = { origin, cookie: cookieHeader(cookiesIn(answer)) };
  return (await post('/v1/refresh', undefined, headers)).json<{ access_token: string }>()
    .access_token;
}

/** Gets a nonce, and sends an ID token with it, to sign in or, with `url` and `token`, to link. */
export async function sendIdToken(
  { post, inject }: Pick<TestApp, 'post' | 'inject'>,
  provider: OutsideProvider,
  claims: Record<string, unknown>,
  { url = '/v1/login/id-token', token = '', more = {}, slot = '1' } = {},
): Promise<LightMyRequestResponse> {
  const { nonce, nonce_token } = (await post('/v1/login/id-token/nonce', { provider: slot })).json<{
    nonce: string;
    nonce_token: string;
  }>();
  const id_token = await provider.idToken({ nonce, ...claims });
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
  const payload = { provider: slot, id_token, nonce_token, ...more };
  return inject({ method: 'POST', url, headers, payload });
}
