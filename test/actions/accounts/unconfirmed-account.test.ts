import t from 'tap';
import { accountLetter } from '../../../src/actions/accounts/unconfirmed-account.ts';
import type { User } from '../../../src/schemas/user.ts';
import { signedIn } from '../../people.ts';
import { testApp } from '../../test-app.ts';

t.test('the letter names the device of the first session, and none if it is gone', async (t) => {
  const app = await testApp(t);
  const { id, session_id: sid } = await signedIn(app, 'ada@example.com');
  const user = (await app.context.users.findById(id)) as User;
  const asked = { email: 'ada@example.com', sid };
  const textOf = (of: User) => accountLetter(app.context, of, asked).paragraphs.join(' ');
  const linux = user.sessions.map((session) => ({
    ...session,
    client: 'Mozilla/5.0 (X11; Linux)',
  }));
  t.match(textOf({ ...user, sessions: linux }), /Linux/);
  t.notMatch(textOf({ ...user, sessions: [] }), /Linux/);
});
