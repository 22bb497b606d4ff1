import { newUserId, randomId } from '../../../src/parts/ids.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import { withNewSession } from '../../../src/rules/sessions.ts';

/** As long as those of today's browsers. */
const CLIENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0';
const PASSWORD_HASH =
  '$argon2id$v=19$m=19456,p=1,t=2$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0';
const DAY = 86_400_000;

/** As many users, each with a session, as if they had just signed in. */
export function signedIn(count: number) {
  const now = Date.now();
  return Array.from({ length: count }, (_, index) => {
    const email = `user${index}@example.com`;
    const id = newUserId(now);
    const person = newPerson({ id, email, name: 'Ada Lovelace', passwordHash: PASSWORD_HASH }, now);
    return withNewSession(
      person,
      { id: randomId(), amr: ['pwd'], transport: 'body', client: CLIENT },
      now,
      { idle: 14 * DAY, max: 90 * DAY, grace: 30_000, count: 20 },
    );
  });
}
