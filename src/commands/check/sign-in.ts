import { askForTokens, GROUP, sessionOf } from './session.ts';
import { codeIn } from './site.ts';
import { type Check, ok, skipped, wrong } from './verdict.ts';

export const signedIn: Check = {
  group: GROUP,
  name: 'sign-in',
  needs: ['live'],
  async run(world) {
    const { account, site } = world;
    if (account === undefined) return skipped('give --email to try an account');
    if (!site.isHttps && !site.isLocal) return skipped('no password is sent over http');
    const answer = await askForTokens(world, account, 'body');
    if (answer.status === 202)
      return skipped(
        'the account has a second factor: at a terminal, this command asks for its code',
      );
    const session = sessionOf(answer);
    if (session === undefined)
      return wrong(
        `the sign-in is answered ${answer.status}${codeIn(answer) || ' without an access token'}`,
        'Is the password right? The log of the node says why it refused.',
      );
    account.session = session;
    return ok('the password is accepted');
  },
};
