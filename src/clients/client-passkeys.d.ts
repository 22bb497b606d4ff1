import type { Challenge, Client } from './client.d.ts';

/** One of the user's passkeys. Times: RFC 3339. */
export interface Passkey {
  id: string;
  name: string;
  /** Whether it is on other devices of its owner too. */
  backed_up: boolean;
  transports: string[];
  created_at: string;
  last_used_at: string | null;
}

/**
 * What the service refuses is a LatchkeyError. What the browser or its user refuses is a DOMException: `NotAllowedError` if the
 * user has cancelled or waited too long.
 */
export interface Passkeys {
  /** Whether this browser can use passkeys. */
  readonly isSupported: boolean;
  /** Lets the user choose a passkey, and signs in with it. `email`: only one of this account. */
  signIn(options?: { email?: string }): Promise<void>;
  /**
   * Offers passkeys among the suggestions of a field with `autocomplete="username webauthn"`. Resolves to true when one has
   * signed in, and to false if the browser cannot do this, or when another call of this module begins.
   */
  autofill(): Promise<boolean>;
  /** The second factor after the first step, if `methods` of the challenge has `passkey`. */
  answerChallenge(challenge: Challenge): Promise<void>;
  /** Step-up: as `client.verify`, with a passkey. */
  verify(): Promise<void>;
  list(): Promise<Passkey[]>;
  /** Makes a passkey in this browser and adds it to the account. */
  add(name: string): Promise<Passkey>;
  rename(id: string, name: string): Promise<Passkey>;
  remove(id: string): Promise<void>;
}

/** Passkeys with a client of `/client.js`. `onStepUp` of the client is asked for a recent proof. */
export declare function createPasskeys(client: Client): Passkeys;
