import { createSecretKey, type KeyObject } from 'node:crypto';
import { OwnClaims, type OwnKind } from '../../schemas/claims.ts';
import type { SigningAlgorithm } from '../../schemas/jwk.ts';
import { derive } from './derived-keys.ts';
import type { KeySet, MasterSecret, SigningKey } from './key-set.ts';

/** Signs and verifies compact JWS of one kind with one key. `verify` throws if anything is wrong; it ignores times. */
export interface Jws {
  /** The first segment of every token that it makes, and the only one that it accepts. */
  header: string;
  /** Characters of each of its tokens besides the payload. */
  overhead: number;
  /** Characters of its signature beyond those of ES256. They do not count in the length of a token: RSA would leave no room. */
  excess: number;
  sign(claims: object): string;
  /** A token of claims that are base64url already: megabytes of them, without holding up the event loop. */
  signLong(payload: Buffer): Promise<Buffer>;
  verify(token: string): unknown;
}

/** A key, the kind of token that it signs, and the issuer and audience. */
export interface JwsSpec {
  kind: TokenKind;
  typ: string;
  kid: string;
  alg: SigningAlgorithm;
  privateKey: KeyObject;
  publicKey: KeyObject;
  issuer: string;
  /** Each token has one of them. */
  audiences: string[];
  requiredClaims: string[];
  /** Signs from (ms); accepted until `notAfter` (ms). */
  notBefore: number;
  notAfter: number;
}

export type BuildJws = (specs: JwsSpec[]) => Promise<(Jws & JwsSpec)[]>;

/** `revocations`: the document for other services (`parts/revocations/revocation-document.ts`). */
export type TokenKind = 'access' | 'revocations' | OwnKind;

export interface Parties {
  issuer: string;
  audience: string;
  /** Other services that access tokens may be for. */
  resources?: string[];
  build: BuildJws;
}

const ownKinds = Object.keys(OwnClaims) as OwnKind[];

const accessSpec = (key: SigningKey, { issuer, audience, resources = [] }: Parties): JwsSpec => ({
  ...key,
  kind: 'access',
  typ: 'at+jwt',
  issuer,
  audiences: [audience, ...resources],
  requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat', 'jti'],
});

/** Signed with the key of the access tokens, so its `typ` and `aud` are others (RFC 8725 section 3.12). */
const revocationsSpec = (key: SigningKey, { issuer }: Parties): JwsSpec => ({
  ...key,
  kind: 'revocations',
  typ: 'revocations+jwt',
  issuer,
  audiences: [`${issuer}/.well-known/revocations`],
  requiredClaims: ['iss', 'aud', 'iat', 'exp'],
});

function ownSpec(master: MasterSecret, kind: OwnKind, { issuer }: Parties): JwsSpec {
  const { kid, notBefore, notAfter } = master;
  const key = createSecretKey(derive(master.secret, kind));
  return {
    kind,
    typ: `${kind}+jwt`,
    kid,
    alg: 'HS256',
    privateKey: key,
    publicKey: key,
    issuer,
    audiences: [issuer],
    requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat'],
    notBefore,
    notAfter,
  };
}

/** Every key of the set, once for each kind of token that it signs. */
export const specsOf = ({ signing, masters }: KeySet, parties: Parties): JwsSpec[] => [
  ...signing.flatMap((key) => [accessSpec(key, parties), revocationsSpec(key, parties)]),
  ...masters.flatMap((master) => ownKinds.map((kind) => ownSpec(master, kind, parties))),
];
