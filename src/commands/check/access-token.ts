import { constants, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { KEY_SET, keysOf } from './key-set.ts';
import { bearer, withSession } from './session.ts';
import { membersOf } from './site.ts';
import { type Session, textsOf, verdictOf } from './verdict.ts';

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

/** Whether a published key verifies the token (RFC 7515 section 5.2). undefined: none has its `kid`. */
function isSigned(
  { access, header }: Session,
  keys: ReturnType<typeof keysOf>,
): boolean | undefined {
  // With a shared secret nothing is published.
  if (header['alg'] === 'HS256') return true;
  const jwk = keys.find(({ kid }) => kid === header['kid']);
  if (jwk === undefined) return undefined;
  const end = access.lastIndexOf('.');
  return verify(
    jwk.alg === 'EdDSA' ? null : 'sha256',
    Buffer.from(access.slice(0, end)),
    {
      key: createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }),
      dsaEncoding: 'ieee-p1363',
      ...(jwk.alg === 'PS256' && PSS),
    },
    Buffer.from(access.slice(end + 1), 'base64url'),
  );
}

export const accessToken = withSession({
  name: 'access-token',
  needs: ['key-set'],
  async run({ site }, { session }) {
    const signed = isSigned(session, keysOf(await site.ask(KEY_SET)));
    const answer = await site.ask('/v1/whoami', bearer(session));
    const isAccepted = answer.status === 200;
    const isSame = JSON.stringify(membersOf(answer)) === JSON.stringify(session.claims);
    return verdictOf(
      textsOf([
        signed === undefined && 'the key set lacks the key of a new token: it is old',
        signed === false && 'the key set does not verify a new token',
        !isAccepted && `/v1/whoami answers ${answer.status} to a new token`,
        isAccepted && !isSame && '/v1/whoami answers with other claims than the token has',
      ]),
      'it is signed, and /v1/whoami accepts it',
      'Do all nodes have the same SIGNING_KEYS, and does no cache keep the key set or /v1/whoami?',
    );
  },
});
