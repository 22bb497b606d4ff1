import type { Answer } from './exchange.ts';
import { membersOf, type Site } from './site.ts';
import { type Check, textsOf, verdictOf } from './verdict.ts';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** `valid` of test/vectors/ES256.json: well-formed, and signed with a published key. */
export const VECTOR =
  'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjJmbWU5aFRySjE2S0l1RFhVS0lLNWxGU1FUOHJ1VFUyUldqTkN4MkVib00ifQ.eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS5jb20iLCJhdWQiOiJodHRwczovL2FwaS5leGFtcGxlLmNvbSIsInN1YiI6IjAxOTkwZDZlLTdjM2YtN2E1MS05YzZiLTBjMWQyZTNmNGE1YiIsImNsaWVudF9pZCI6ImxhdGNoa2V5IiwiaWF0IjoxNzk1NDU2NzQwLCJleHAiOjE3OTU0NTc2NDAsImp0aSI6IlpyNW9EeHcwblh3OG83bTN5cTFlVkEiLCJzaWQiOiJxODN2RWpSV2VKQ3J6ZThTTkZaNGtBIiwidmVyIjowLCJyb2xlcyI6WyJlZGl0b3IiXSwiYW1yIjpbInB3ZCJdLCJhdXRoX3RpbWUiOjE3OTU0NTY3NDB9.lAzT9h3Lxjio3AxEiYYi9kW-t9Ejin075mR5dLlp0gKJ2Ia1aVS4fMKDdhbvwltPUFZDG-jYsyM_mJZa8r0CQg';

/** RFC 8725 section 3.1. */
const UNSIGNED = `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode({ sub: 'x' })}.`;

const BAD: [what: string, token: string][] = [
  ['alg: none', UNSIGNED],
  ['a token signed with another key', VECTOR],
  ['a token that is none', 'x'.repeat(3_000)],
];

/** All that a client sees of a refusal but the ID of its request. */
const seenOf = (answer: Answer): string => {
  const { instance: _instance, ...members } = membersOf(answer);
  return JSON.stringify([answer.status, answer.headers['www-authenticate'], members]);
};

const whoami = (site: Site, authorization?: string) =>
  site.ask('/v1/whoami', { headers: { ...(authorization && { authorization }) } });

export const tokensRefused: Check = {
  group: 'Refusals',
  name: 'bad-tokens',
  needs: ['problems'],
  async run({ site }) {
    const none = await whoami(site);
    const faults = textsOf([
      none.status !== 401 && `without a token, /v1/whoami answers ${none.status}`,
      !/^Bearer realm="[^"]*"$/.test(String(none.headers['www-authenticate'])) &&
        'a 401 without a token lacks WWW-Authenticate: Bearer realm="…"',
    ]);
    const said = new Set<string>();
    for (const [what, token] of BAD) {
      const answer = await whoami(site, `Bearer ${token}`);
      said.add(seenOf(answer));
      const challenge = String(answer.headers['www-authenticate']);
      if (answer.status !== 401 || membersOf(answer)['code'] !== 'token_invalid')
        faults.push(`${what} is answered ${answer.status}`);
      else if (!challenge.includes('error="invalid_token"'))
        faults.push('a 401 lacks WWW-Authenticate: … error="invalid_token"');
    }
    if (said.size > 1) faults.push('the answers tell bad tokens apart');
    return verdictOf(
      faults,
      'alg: none and foreign tokens are refused with the same 401',
      'The proxy changes the header Authorization or the answers. Let both pass, with WWW-Authenticate.',
    );
  },
};
