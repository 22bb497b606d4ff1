import { bearer, withSession } from './session.ts';
import { textsOf, verdictOf } from './verdict.ts';

/** How often a token may still be accepted, a fifth of a second apart. */
const TRIES = 5;
/** New connections, which lead to other nodes if there are several. */
const CONNECTIONS = 4;

export const signedOut = withSession({
  group: 'Revocation',
  name: 'sign-out',
  async run({ site }, { session }) {
    // So that a cache in between has something to keep.
    await site.ask('/v1/whoami', bearer(session));
    const { status } = await site.ask('/v1/logout', { method: 'POST', ...bearer(session) });
    const isAccepted = async () => {
      const asked = Array.from({ length: CONNECTIONS }, () =>
        site.ask('/v1/whoami', { ...bearer(session), isApart: true }),
      );
      return (await Promise.all(asked)).some((answer) => answer.status === 200);
    };
    let isAlive = await isAccepted();
    for (let tries = 0; isAlive && tries < TRIES; tries++) {
      await site.options.sleep(1_000 / TRIES);
      isAlive = await isAccepted();
    }
    return verdictOf(
      textsOf([
        status !== 204 && `the sign-out is answered ${status}`,
        isAlive && 'a second after the sign-out, the access token is still accepted',
      ]),
      `within a second, ${CONNECTIONS} connections refuse the access token`,
      'Do all nodes use the same database, and does no cache keep /v1/whoami? /readyz of each node says whether its list of revoked tokens is up to date.',
    );
  },
});
