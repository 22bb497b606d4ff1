import { DEVICE_COOKIE, REFRESH_COOKIE } from '../../http/cookies.ts';
import { askForTokens, sessionOf, withSession } from './session.ts';
import { codeIn, membersOf } from './site.ts';
import { skipped, textsOf, verdictOf, wrong } from './verdict.ts';

/** What is wrong with the Set-Cookie of this name. */
function faultsOf(cookies: string[], name: string, base: string): string[] {
  const cookie = cookies.find((text) => text.startsWith(`${name}=`));
  if (cookie === undefined) return [`the cookie ${name} is missing`];
  const attributes = cookie.split(/; */).slice(1);
  const has = (wanted: string) =>
    attributes.some((text) => wanted.toLowerCase() === text.toLowerCase());
  const lacking = ['Secure', 'HttpOnly', 'SameSite=Strict', `Path=${base}/v1`].filter(
    (wanted) => !has(wanted),
  );
  return textsOf([
    ...lacking.map((wanted) => `the cookie ${name} lacks ${wanted}`),
    attributes.some((text) => /^domain=/i.test(text)) &&
      `the cookie ${name} has a Domain: other hosts get it`,
  ]);
}

export const cookies = withSession({
  name: 'cookies',
  // With another ISSUER, this origin may not send cookies.
  needs: ['metadata'],
  async run(world, account) {
    const { site } = world;
    if (String(account.session.claims['amr']).includes(','))
      return skipped('needs a second sign-in, and a code counts once: use an account without one');
    const answer = await askForTokens(world, account, 'cookie');
    if (sessionOf(answer) === undefined)
      return wrong(
        `the second sign-in is answered ${answer.status}${codeIn(answer)}`,
        'The log of the node says why it refused.',
      );
    const cookie = answer.cookies.map((text) => text.split(';', 1)[0]).join('; ');
    const headers = { cookie, origin: site.origin };
    const ended = await site.ask('/v1/logout', { method: 'POST', headers });
    return verdictOf(
      textsOf([
        ...faultsOf(answer.cookies, REFRESH_COOKIE, site.base),
        ...faultsOf(answer.cookies, DEVICE_COOKIE, site.base),
        'refresh_token' in membersOf(answer) && 'the refresh token is also in the body',
        ended.status !== 204 && `a sign-out with the cookie is answered ${ended.status}`,
      ]),
      'Secure, HttpOnly, SameSite=Strict, and sent to /v1 alone',
      'Let the proxy pass Set-Cookie, Cookie and Origin unchanged (nginx: no proxy_cookie_path, no proxy_cookie_flags).',
    );
  },
});
