import { thumbprint } from '../../parts/keys/key-set.ts';
import { PublicJwkSet } from '../../schemas/jwk.ts';
import type { Answer } from './exchange.ts';
import { membersOf } from './site.ts';
import { type Check, textsOf, verdictOf, warning } from './verdict.ts';

const GROUP = 'Documents';
export const KEY_SET = '/.well-known/jwks.json';
/** RFC 7518 section 6 and RFC 8037 section 2. */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** Bytes. Verifiers limit what they read. */
const LARGE = 16_384;
/** Seconds that a key set may be kept: a new key signs after this time. */
const KEPT = 300;

type PublicJwk = PublicJwkSet['keys'][number];

/** The published keys; none if the answer is no key set. */
export const keysOf = (answer: Answer): PublicJwk[] =>
  PublicJwkSet.safeParse(membersOf(answer)).data?.keys ?? [];

const hasItsThumbprint = (key: PublicJwk): boolean =>
  /^(EC|RSA|OKP)$/.test(key.kty) && key.kid === thumbprint(key as Parameters<typeof thumbprint>[0]);

export const keySet: Check = {
  group: GROUP,
  name: 'key-set',
  needs: ['live'],
  async run({ site }) {
    const answer = await site.ask(KEY_SET);
    const keys = keysOf(answer);
    const members = Object(membersOf(answer)['keys']) as Record<string, object>;
    if (answer.status === 200 && Array.isArray(members) && members.length === 0)
      return warning(
        'it is empty: other services cannot verify tokens',
        'Right for HS256, which is for a deployment without other services. Otherwise a cache or a proxy has lost the keys.',
      );
    const hasPrivate = Object.values(members).some((key) =>
      PRIVATE.some((name) => name in Object(key)),
    );
    const algorithms = [...new Set(keys.map(({ alg }) => alg))].join(', ');
    return verdictOf(
      textsOf([
        hasPrivate && 'it has PRIVATE members: replace these keys now',
        keys.length === 0 && 'it has no key that others can verify with',
        !keys.every(hasItsThumbprint) && 'a kid is not the RFC 7638 thumbprint of its key',
        answer.text.length > LARGE &&
          `it has ${answer.text.length} bytes, too many for some verifiers`,
      ]),
      `it can be used: ${algorithms}`,
      'Let the proxy pass the key set of Latchkey unchanged.',
    );
  },
};

export const keyCache: Check = {
  group: GROUP,
  name: 'key-cache',
  needs: ['key-set'],
  async run({ site }) {
    const { headers } = await site.ask(KEY_SET);
    const control = String(headers['cache-control']);
    const seconds = Number(/(?:^|[ ,])max-age=(\d+)/.exec(control)?.[1]);
    const age = Number(headers['age'] ?? 0);
    const isKept = seconds <= KEPT && age <= KEPT;
    const said = `cache-control: ${control}${age > 0 ? `, ${age} seconds old` : ''}`;
    if (isKept) return verdictOf([], said, '');
    return warning(
      said,
      `Nobody may keep the key set for more than ${KEPT} seconds: after a rotation, verifiers would refuse the new tokens.`,
    );
  },
};
