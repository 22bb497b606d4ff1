import type { Test } from 'tap';
import type { Options, Verifier } from '../../src/clients/verify.d.ts';
import { createVerifier } from '../../src/clients/verify.js';
import type { PrivateJwk } from '../../src/schemas/jwk.ts';
import { Forger, type Json } from '../attacks/forger.ts';
import { type Front, front, type Interference } from '../front.ts';
import { type SignedIn, signedIn } from '../people.ts';
import { keysFor, type TestApp, TestClock, testApp } from '../test-app.ts';

export const KEYS = '/.well-known/jwks.json';
export const LIST = '/.well-known/revocations';

export interface Guarded {
  network: Front;
  node: TestApp;
  ada: SignedIn;
  /** Signs as the issuer does. */
  forger: Forger;
  /** The time of the verifier and of the issuer: moves on for both, or jumps for the verifier alone. */
  pass(milliseconds: number): Promise<void>;
  skew(milliseconds: number): void;
  verifier(options?: Partial<Options>): Verifier;
  /** `ok`, or the code of the refusal. */
  said(verifier: Verifier, token?: string): Promise<string>;
  /** A list of revocations as the issuer signs it, but for the changes. */
  list(changes?: Json, header?: Json): string;
  /** What is sent in place of the list, or of the key set. */
  instead(path: string, answer: Interference | undefined): void;
  asked(path: string): number;
}

/** A service with a verifier of its own (`latchkey/verify`), an issuer, and a network between them that can fail. */
export async function guarded(t: Test, env: Record<string, string> = {}): Promise<Guarded> {
  const network = await front(t);
  const clock = new TestClock();
  clock.now = Date.now();
  const node = await testApp(t, { env: { ISSUER: network.origin, ...env }, clock });
  network.leadsTo(await node.app.listen({ host: '127.0.0.1', port: 0 }));
  // The network hides that a verifier that waits has gone.
  t.teardown(() => node.context.revocationLog.release());
  const ada = await signedIn(node, 'ada@example.com');
  const [key] = (JSON.parse(keysFor('ES256')) as { keys: [PrivateJwk] }).keys;
  const forger = new Forger(ada.access_token, key);

  let [passed, skewed] = [0, 0];
  const [realNow, realUptime] = [Date.now, performance.now.bind(performance)];
  const value = () => realNow() + passed + skewed;
  t.intercept(Date, 'now', { value, configurable: true });
  t.intercept(performance, 'now', { value: () => realUptime() + passed, configurable: true });

  const answers = new Map<string, Interference>();
  network.there = async ({ url = '' }) => answers.get(url.split('?')[0] ?? '');
  return {
    network,
    node,
    ada,
    forger,
    pass: async (milliseconds) => {
      passed += milliseconds;
      clock.advance(milliseconds);
      await node.context.revocationFeed.poll();
    },
    skew: (milliseconds) => {
      skewed += milliseconds;
    },
    verifier: (options) => {
      const verifier = createVerifier({ issuer: network.origin, background: false, ...options });
      t.teardown(() => verifier.close());
      return verifier;
    },
    said: (verifier, token = ada.access_token) =>
      verifier.verify(token).then(
        () => 'ok',
        ({ code }) => code,
      ),
    list: (changes = {}, header = {}) => {
      const iat = Math.floor(Date.now() / 1_000);
      const claims = {
        iss: network.origin,
        aud: `${network.origin}${LIST}`,
        iat,
        exp: iat + 60,
        cursor: 'cursor',
        sessions: [],
        users: {},
        ...changes,
      };
      return forger.make({
        header: { ...forger.header, typ: 'revocations+jwt', ...header },
        claims,
      });
    },
    instead: (path, answer) => {
      if (answer) answers.set(path, answer);
      else answers.delete(path);
    },
    asked: (path) => network.requests.filter((line) => line.startsWith(`GET ${path}`)).length,
  };
}

export const asList = (body: string): Interference => ({
  status: 200,
  headers: { 'content-type': 'application/jwt' },
  body,
});

export const asKeys = (keys: object[], control = 'max-age=300'): Interference => ({
  status: 200,
  headers: { 'content-type': 'application/jwk-set+json', 'cache-control': control },
  body: JSON.stringify({ keys }),
});
