import type { z } from 'zod';
import type { Clock } from '../../rules/clock.ts';
import { OwnClaims, type OwnKind } from '../../schemas/claims.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { headerOf, isOurForm, MAX_TOKEN_LENGTH } from './compact-jws.ts';

type Claims<Kind extends OwnKind> = z.infer<(typeof OwnClaims)[Kind]>;

interface Options {
  issuer: string;
  keys: KeyRing;
  clock: Clock;
}

/** Makes and reads tokens that only this service reads. Each kind has its own key, `typ` and claims. */
export class OwnTokens {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Deterministic: the same claims give the same token, as long as the master secret is the same. */
  issue<Kind extends OwnKind>(kind: Kind, claims: Omit<Claims<Kind>, 'iss' | 'aud'>): string {
    const { issuer, keys, clock } = this.#options;
    return keys.signer(kind, clock()).sign({ iss: issuer, aud: issuer, ...claims });
  }

  /** The claims of a valid token of this kind, otherwise undefined. */
  read<Kind extends OwnKind>(kind: Kind, token: string): Claims<Kind> | undefined {
    const { keys, clock } = this.#options;
    const now = clock();
    if (token.length > MAX_TOKEN_LENGTH) return undefined;
    const key = keys.verifier(kind, headerOf(token), now);
    if (key === undefined || !isOurForm(token)) return undefined;
    let payload: unknown;
    try {
      payload = key.verify(token);
    } catch {
      return undefined;
    }
    const { success, data: claims } = OwnClaims[kind].safeParse(payload);
    return success && now < claims.exp * 1_000 ? (claims as Claims<Kind>) : undefined;
  }
}
