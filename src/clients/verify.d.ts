export type Algorithm = 'ES256' | 'RS256' | 'PS256' | 'EdDSA';

export interface Options {
  /** `iss` of the tokens, letter by letter: the `ISSUER` of the service, without a slash at the end. */
  issuer: string;
  /** `aud` of the tokens: the `AUDIENCE` of the service. The issuer by default. */
  audience?: string;
  /** What the keys of the issuer may be for. All four by default; each key is used for its own algorithm alone. */
  algorithms?: Algorithm[];
  /** Whether revoked tokens are refused before they expire. `{ bound: 60, whenAway: 'open' }` by default. */
  revocations?: false | Revocations;
  /**
   * Whether the verifier asks the issuer between calls. Without it, each `verify` asks if the last answer is older than a
   * second. True by default, except in Cloudflare Workers, where nothing runs between requests.
   */
  background?: boolean;
  /** In place of the global `fetch`, for a proxy or an address inside the network. */
  fetch?: typeof fetch;
}

export interface Revocations {
  /** Seconds, at least 10. The issuer is away when its newest list of revoked tokens is older. */
  bound: number;
  /** While the issuer is away: `open` accepts tokens until they expire, `closed` refuses them with `issuer_away`. */
  whenAway: 'open' | 'closed';
}

/** The claims of a valid access token (RFC 9068). `iat`, `exp`, `nbf` and `auth_time` are in seconds. */
export interface Claims {
  iss: string;
  aud: string | string[];
  /** User ID. */
  sub: string;
  client_id: string;
  iat: number;
  nbf?: number;
  exp: number;
  jti: string;
  /** Session ID. */
  sid: string;
  ver: number;
  roles: string[];
  amr: string[];
  auth_time: number;
  scope?: string;
  /** The key to which the token is bound (RFC 9449). */
  cnf?: { jkt: string };
  [claim: string]: unknown;
}

/** Why there are no claims, and what to answer. */
export declare class TokenError extends Error {
  code:
    | 'token_missing'
    | 'token_invalid'
    | 'token_expired'
    | 'token_revoked'
    | 'invalid_dpop_proof'
    | 'issuer_away';
  /** 401; 503 for `issuer_away`. */
  status: number;
  /** `WWW-Authenticate` (RFC 6750 section 3), or `Retry-After`. */
  headers: Record<string, string>;
  /** For the log: what was wrong with the token or the issuer. The caller must not see it. */
  reason: string | undefined;
  /** A problem (RFC 9457) with `status` and `headers`. */
  response(): Response;
}

/** A request with a DPoP proof (RFC 9449). */
export interface Proven {
  /** The `DPoP` header. */
  proof: string;
  method: string;
  /** The URL as the client sees it: behind a proxy not that of the inner request. Its query does not matter. */
  url: string;
}

export interface Verifier {
  /**
   * The claims of a valid access token. Rejects with a TokenError. A token that is bound to a key needs the proof that came
   * with it, and only such a token may have one.
   */
  verify(token: string, proven?: Proven): Promise<Claims>;
  /**
   * The same for the token in `Authorization`, in either scheme: `Bearer`, or `DPoP` with its proof. Each proof counts once for
   * this verifier.
   */
  request(from: { method: string; url: string; headers: HeadersLike }): Promise<Claims>;
  /** The same for a bearer token in `Authorization`: of a Request, of Headers, or of the `headers` of a request in Node. */
  bearer(from: { headers: HeadersLike } | HeadersLike): Promise<Claims>;
  /**
   * Calls the listener once when the token of these claims expires or is revoked: close the connection that it opened. Not when
   * the issuer is away. Returns what removes the listener. Needs `background` to hear of revocations.
   */
  onEnd(claims: Claims, listener: (code: 'token_expired' | 'token_revoked') => void): () => void;
  /** Stops asking the issuer. In Node, an open request for revocations keeps the process alive until then. */
  close(): void;
}

export type HeadersLike =
  | { get(name: string): string | null }
  | { authorization?: string | string[] | undefined; dpop?: string | string[] | undefined };

/** Throws a TypeError for options that it cannot use. Asks the issuer for nothing before the first call. */
export declare function createVerifier(options: Options): Verifier;
