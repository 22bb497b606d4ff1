import t from 'tap';
import { mailbox } from '../../mailbox.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const box = await mailbox(t);
const { post, signUp, context, events } = await testApp(t, { env: { MAIL_URL: box.url } });
const forgot = (email: string) => post('/v1/password/forgot', { email });

t.test(
  'only the owner of an active account gets a link, and the answer does not show it',
  async (t) => {
    for (const email of ['ada@example.com', 'disabled@example.com']) {
      await signUp(email);
      await box.next(email);
    }
    const disabled = await context.users.findByEmail('disabled@example.com');
    await context.users.change(disabled?.id as string, (user) => ({
      user: { ...user, status: 'disabled' },
      result: undefined,
    }));
    const mails = await box.settled();
    const happened = events().filter((event) => !event.startsWith('mail.'));
    const answers = [];
    for (const email of [' ADA@example.com', 'disabled@example.com', 'nobody@example.com'])
      answers.push(await forgot(email));
    for (const { statusCode, payload } of answers) {
      t.equal(statusCode, 202);
      t.equal(payload, answers[0]?.payload);
    }
    t.equal((await box.next('ada@example.com')).mail.subject, 'Choose a new password');
    t.equal(await box.settled(), mails + 1);
    t.same(
      events().filter((event) => !event.startsWith('mail.')),
      happened,
    );
  },
);

t.test('an invalid address is reported, and no mail is sent', async (t) => {
  const mails = await box.settled();
  for (const email of ['', 'ada', 'ada@example.com,eve@example.com'])
    t.match(refused(t, await forgot(email), 422, 'invalid_input').errors, [{ path: '/email' }]);
  t.equal(await box.settled(), mails);
});
