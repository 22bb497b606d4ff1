export interface Options {
  /** The address of the service, as `createClient` has it. */
  url: string;
  /** Begins the name of the database that has the key. For two services on one page. */
  name?: string;
  /**
   * What a sign-in binds to the key: all tokens (`session`, the default), or the refresh token alone (`refresh`), for services
   * that take bearer tokens only.
   */
  bind?: 'session' | 'refresh';
}

/**
 * A `fetch` for `createClient` that binds sessions to a key of this browser (RFC 9449). The key is made once, is kept in
 * IndexedDB and cannot be read by scripts: what steals the tokens cannot use them elsewhere. Sends a proof with every request to
 * the service that has no access token and with every bound access token, which it sends in the scheme `DPoP`. Needs HTTPS or
 * localhost. A refused proof is made anew once. The refresh of a session that has no key, because it began with a redirect or on
 * the service's own pages, is then sent without one.
 */
export declare function dpopFetch(options: Options): typeof fetch;
