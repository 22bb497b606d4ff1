/** Where a client keeps what must outlive a reload. `localStorage` and React Native's AsyncStorage have this form. */
export interface ClientStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

export interface Options {
  /** The address of the service, with its path if it has one: `https://id.example.com`. */
  url: string;
  /**
   * How the refresh token travels. `cookie` (the default) is for pages: scripts cannot read it. `body` is for React
   * Native and Electron: the refresh token is in `storage`.
   */
  transport?: 'cookie' | 'body';
  /** Required by `body`: a storage that only this app can read. With `cookie`, `localStorage`: it never has a token. */
  storage?: ClientStorage;
  /** Other origins that get the access token, such as `https://api.example.com`. The service's own always does. */
  origins?: string[];
  /** Begins the keys in the storage and names the lock and the channel of the tabs. For two services on one page. */
  name?: string;
  /**
   * Called when a request of `fetch` needs a proof that is at most 15 minutes old (`step_up_required`). Ask the user, call
   * `verify`, and resolve: the request is then repeated once. Reject to give up.
   */
  onStepUp?: () => Promise<void>;
  /** In place of the global `fetch`: that of `/client-dpop.js`, for one. */
  fetch?: typeof fetch;
}

/** The first step was right; the account has a second factor. */
export interface Challenge {
  mfa_token: string;
  methods: ('passkey' | 'totp' | 'recovery_code')[];
  /** Seconds. */
  expires_in: number;
}

export interface Change {
  signedIn: boolean;
  /**
   * `sign_in` and `sign_out` come from any tab, `refresh` from a page that was loaded with a session or has found one. The
   * others are the codes with which the service ended it: `refresh_missing` (nobody was signed in), `refresh_invalid` (the
   * session has ended), `refresh_reused` (the refresh token was copied: warn the user), `invalid_dpop_proof` (the key of the
   * browser is lost, or the session was started without one).
   */
  reason:
    | 'sign_in'
    | 'refresh'
    | 'sign_out'
    | 'refresh_missing'
    | 'refresh_invalid'
    | 'refresh_reused'
    | 'invalid_dpop_proof';
}

/** The service said no. A lost connection throws what `fetch` throws. */
export declare class LatchkeyError extends Error {
  /** The `code` of the problem (RFC 9457), such as `invalid_credentials`; undefined if a proxy answered. */
  code: string | undefined;
  status: number;
  /** Seconds to wait before the next try, if the answer says so. */
  retryAfter: number | undefined;
  /** The whole problem. */
  problem: Record<string, unknown>;
}

/** An assertion as JSON. `/client-passkeys.js` makes it. */
interface PasskeyProof {
  passkey: object;
}

export interface Client {
  /** Whether somebody is signed in; undefined before the first answer. */
  readonly signedIn: boolean | undefined;
  /**
   * A valid access token, refreshed if it is due; undefined if nobody is signed in. Rejects if there is none because the
   * service cannot be reached: the user is still signed in.
   */
  token(): Promise<string | undefined>;
  /**
   * A token for another service (RFC 8707, `AUDIENCES` of this one), in an answer to a refresh of its own: keep it in memory until
   * `expires_in` (seconds). undefined if nobody is signed in. `resource`: the URI of that service. Rejects with `invalid_target`
   * if it is none of them.
   */
  tokenFor(resource: string): Promise<{ access_token: string; expires_in: number } | undefined>;
  /**
   * As the global `fetch`, with the access token for the service and `origins`. A 401 is repeated once, after a refresh.
   */
  fetch: typeof fetch;
  /** Signs in, or resolves to a challenge: ask for a code, then call `answerChallenge`. */
  login(credentials: { email: string; password: string }): Promise<Challenge | undefined>;
  answerChallenge(
    challenge: Challenge,
    proof: { code: string } | { recovery_code: string } | PasskeyProof,
  ): Promise<void>;
  /** True: signed in (`SIGN_UP=open`). False: the answer does not say more, and a mail may be on its way. */
  register(fields: { email: string; password?: string; name?: string }): Promise<boolean>;
  /** With the token of the mailed link. Signs in. */
  completeSignUp(fields: { token: string; password: string; name?: string }): Promise<void>;
  /** Ends every other session; this one goes on with new tokens. */
  changePassword(fields: { current_password: string; new_password: string }): Promise<void>;
  /** Proves again who the user is: the access token that follows says so (`auth_time`, `amr`). The session stays the same. */
  verify(
    proof: { password: string } | { code: string } | { recovery_code: string } | PasskeyProof,
  ): Promise<void>;
  /**
   * Signs out every tab at once, then ends the session at the service. Rejects if the service cannot be reached: it is
   * told with the next call or sign-in, on coming back online or on the next load. That ends this session alone, and never
   * one that was started since; only a sign-out before the first answer of `token()` ends whichever session is found.
   */
  logout(): Promise<void>;
  /** Calls the listener on each sign-in and sign-out, in whichever tab. Returns what removes it. */
  onChange(listener: (change: Change) => void): () => void;
  /** Refreshes if it is due. Pages do it by themselves; an app calls it when it comes to the foreground or online. */
  wake(): void;
  /** For modules that add ways to sign in, such as `/client-passkeys.js` and `/client-mail-codes.js`. */
  readonly core: {
    /** The address of the service, with a slash at its end. */
    base: string;
    /** Sends a request without an access token. */
    send(path: string, call?: { body?: object }): Promise<{ status: number; answer: unknown }>;
    /** The device token as a member of a body; undefined if a cookie carries it. */
    device(): Promise<{ device_token?: string | undefined }>;
    /** Sends a request whose answer has new tokens, and keeps them. */
    signIn(path: string, body: object): Promise<Challenge | boolean>;
  };
  /** Stops timers and listeners. The session goes on. */
  close(): void;
}

/** Throws a TypeError if `url` is not absolute (in a page it may be relative), or if `body` has no storage. */
export declare function createClient(options: Options): Client;
