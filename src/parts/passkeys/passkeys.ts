import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { Passkey } from '../../schemas/user.ts';
import type { Assertion, Registration } from '../../schemas/webauthn.ts';
import { withoutAttestation } from './attestation.ts';
import { type Ceremony, challengeIn } from './client-data.ts';

/** Taking 250 ms and 28 MB to load, it waits for the first passkey. */
const webauthn = async () => ({
  ...(await import('@simplewebauthn/server')),
  ...(await import('@simplewebauthn/server/helpers')),
});

/** EdDSA, ES256 and RS256 (COSE, RFC 9053): every authenticator has one of them. */
export const ALGORITHMS = [-8, -7, -257];

/** A key whose private half nobody has: an assertion of an unknown passkey costs as much as a wrong one. */
const DECOY_KEY =
  'pQECAyYgASFYIEy_EhzSe6_R8t9N-f0h4nupQ0InJlcvZFmoundSYU8BIlggscJRschFrTdfWPmPvhvISNHi5PXoTO6siaYMegsB4hc';

interface Options {
  /** The domain that the passkeys belong to (WebAuthn: RP ID). */
  rpId: string;
  /** Those of the pages that may use them. */
  origins: string[];
}

/** What the authenticator has signed. */
export interface VerifiedAssertion {
  counter: number;
  backedUp: boolean;
}

/** Checks what authenticators answer (WebAuthn sections 7.1 and 7.2). */
export class Passkeys {
  readonly rpId: string;
  readonly #expected: {
    expectedOrigin: string[];
    expectedRPID: string;
    requireUserVerification: true;
    // The caller reads the challenge, which is a token, before.
    expectedChallenge: () => true;
  };

  constructor({ rpId, origins }: Options) {
    this.rpId = rpId;
    this.#expected = {
      expectedOrigin: origins,
      expectedRPID: rpId,
      requireUserVerification: true,
      expectedChallenge: () => true,
    };
  }

  /** The token that was sent as the challenge; undefined if it cannot be read, or if a frame of another site answered. */
  challengeIn(answer: Assertion | Registration, ceremony: Ceremony): string | undefined {
    return challengeIn(answer.response.clientDataJSON, ceremony);
  }

  /** undefined: not signed by this passkey for this service. Takes as long without a passkey. Leaves the counter to the caller. */
  async verify(
    assertion: Assertion,
    passkey: Pick<Passkey, 'public_key'> | undefined,
  ): Promise<VerifiedAssertion | undefined> {
    const { verifyAuthenticationResponse } = await webauthn();
    const publicKey = Buffer.from(passkey?.public_key ?? DECOY_KEY, 'base64url');
    try {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        ...this.#expected,
        response: { ...assertion, clientExtensionResults: {} } as AuthenticationResponseJSON,
        // A counter that went back must be told from a forgery, so the signature is checked without it.
        credential: { id: assertion.id, publicKey, counter: 0 },
      });
      const { newCounter, credentialBackedUp } = authenticationInfo;
      return verified && passkey
        ? { counter: newCounter, backedUp: credentialBackedUp }
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** The new credential; undefined if it was not made for this service. Does not look at the attestation. */
  async verifyNew(
    registration: Registration,
  ): Promise<Pick<Passkey, 'id' | 'public_key' | 'counter' | 'backed_up'> | undefined> {
    const { verifyRegistrationResponse, decodeAttestationObject } = await webauthn();
    try {
      const { registrationInfo } = await verifyRegistrationResponse({
        ...this.#expected,
        supportedAlgorithmIDs: ALGORITHMS,
        response: {
          ...withoutAttestation(registration, decodeAttestationObject),
          clientExtensionResults: {},
        } as RegistrationResponseJSON,
      });
      // Without an attestation, what is not verified has thrown.
      const { credential, credentialBackedUp } = registrationInfo as NonNullable<
        typeof registrationInfo
      >;
      return {
        id: credential.id,
        public_key: Buffer.from(credential.publicKey).toString('base64url'),
        counter: credential.counter,
        backed_up: credentialBackedUp,
      };
    } catch {
      return undefined;
    }
  }
}
