import type { Configuration } from 'openid-client';
import type { ProviderSettings } from '../../config/providers.ts';
import type { Clock } from '../../rules/clock.ts';
import type { Identity } from '../../rules/identities.ts';
import { Refusal } from '../../rules/refusal.ts';
import { IdTokens, TIMEOUT } from './id-tokens.ts';
import { answerMode, identityOf, ProviderClaims } from './provider-claims.ts';
import { ForeignMetadata, refusalOfProvider, unavailable } from './provider-faults.ts';

/** Taking some time to load, it waits for the first sign-in with a provider. */
const client = () => import('openid-client');

/** Milliseconds. After them, the provider is asked again where its endpoints are; after the second, if it did not answer. */
const DISCOVERED_FOR = 3_600_000;
const ASKED_AGAIN_AFTER = 30_000;

interface Discovered {
  configuration: Configuration;
  idTokens: IdTokens;
  until: number;
}

/** What one way to the provider and back needs. */
export interface Authorization {
  /** The URL of the callback, with what the browser brought back. */
  url: URL;
  state: string;
  nonce: string;
  /** RFC 7636. */
  verifier: string;
}

/**
 * One outside provider (OpenID Connect). It is discovered with the first sign-in, and after a failure with the next one, so
 * this service starts and runs without it. Everything refuses with `provider_unavailable` or `provider_refused`.
 */
export class Provider {
  readonly settings: ProviderSettings;
  readonly #clock: Clock;
  #discovered: Discovered | undefined;
  #discovering: Promise<Discovered> | undefined;

  constructor(settings: ProviderSettings, clock: Clock) {
    this.settings = settings;
    this.#clock = clock;
  }

  /** Where to send the browser. `redirectUri`: the callback. */
  async authorizationUrl({
    redirectUri,
    state,
    nonce,
    verifier,
  }: Omit<Authorization, 'url'> & { redirectUri: string }): Promise<string> {
    const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await client();
    const { configuration } = await this.#discover();
    return buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: this.settings.scopes,
      ...answerMode(this.settings.issuer),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }).href;
  }

  /** Who has signed in there. The library checks state, `iss` (RFC 9207), nonce and claims; the signature is checked here. */
  async redeem({ url, state, nonce, verifier }: Authorization): Promise<Identity> {
    const { authorizationCodeGrant, fetchUserInfo } = await client();
    const { configuration, idTokens } = await this.#discover();
    return this.#refusing(async () => {
      const tokens = await authorizationCodeGrant(configuration, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const audiences = [this.settings.clientId];
      const idToken = tokens.id_token as string;
      const claims = await idTokens.verify(idToken, this.#expected(audiences, nonce));
      const { userinfo_endpoint } = configuration.serverMetadata();
      const isWhole = 'email' in claims || userinfo_endpoint === undefined;
      const sub = String(claims.sub);
      const more = isWhole ? {} : await fetchUserInfo(configuration, tokens.access_token, sub);
      return identityOf(this.settings, ProviderClaims.parse({ ...more, ...claims }));
    });
  }

  /** Whose ID token this is, which an app has got. */
  async identityIn(idToken: string, nonce: string): Promise<Identity> {
    const { idTokens } = await this.#discover();
    const expected = this.#expected(this.settings.audiences, nonce);
    return this.#refusing(async () => {
      const claims = await idTokens.verify(idToken, expected);
      return identityOf(this.settings, ProviderClaims.parse(claims));
    });
  }

  #expected(audiences: string[], nonce: string) {
    return { issuer: this.settings.issuer, audiences, nonce, now: this.#clock() };
  }

  async #refusing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof Refusal ? error : refusalOfProvider(error);
    }
  }

  /** Asks once at a time. What is known already is used on if the provider does not answer. */
  async #discover(): Promise<Discovered> {
    const known = this.#discovered;
    if (known !== undefined && this.#clock() < known.until) return known;
    this.#discovering ??= this.#ask().finally(() => {
      this.#discovering = undefined;
    });
    try {
      this.#discovered = await this.#discovering;
      return this.#discovered;
    } catch (error) {
      if (known === undefined) throw unavailable(error);
      // In an outage, a sign-in does not wait for its timeout each time.
      known.until = this.#clock() + ASKED_AGAIN_AFTER;
      return known;
    }
  }

  async #ask(): Promise<Discovered> {
    const { allowInsecureRequests, ClientSecretBasic, ClientSecretPost, discovery, None } =
      await client();
    const { issuer, clientId, clientSecret } = this.settings;
    // Only in development: `OIDC_1_ISSUER must be https in production`.
    const isPlain = issuer.startsWith('http:');
    const authenticate: ReturnType<typeof None> = (server, ...rest) => {
      if (clientSecret === undefined) return None()(server, ...rest);
      const methods = server.token_endpoint_auth_methods_supported;
      const how = methods?.includes('client_secret_post') ? ClientSecretPost : ClientSecretBasic;
      return how(clientSecret)(server, ...rest);
    };
    const configuration = await discovery(new URL(issuer), clientId, undefined, authenticate, {
      timeout: TIMEOUT / 1_000,
      execute: isPlain ? [allowInsecureRequests] : [],
    });
    const { issuer: named, jwks_uri } = configuration.serverMetadata();
    const keys = new URL(String(jwks_uri));
    const isSafe = keys.protocol === new URL(issuer).protocol;
    // The library compares them as URLs.
    if (named !== issuer || !isSafe) throw new ForeignMetadata();
    return {
      configuration,
      idTokens: new IdTokens(keys),
      until: this.#clock() + DISCOVERED_FOR,
    };
  }
}
