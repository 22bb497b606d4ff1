import { type Check, skipped, verdictOf } from './verdict.ts';

export const mail: Check = {
  group: 'Mail',
  name: 'mail',
  needs: ['live'],
  async run({ site, options }) {
    const { mail: email } = options;
    if (email === undefined) return skipped('give --mail to have a password reset mailed');
    const { status } = await site.ask('/v1/password/forgot', { method: 'POST', json: { email } });
    return verdictOf(
      status === 202 ? [] : [`the request for a mail is answered ${status}`],
      'asked for. If the address has an account, a mail arrives within a minute: it is not in the spam folder, its link starts with APP_URL, and its source says spf=pass, dkim=pass and dmarc=pass. This command cannot see that',
      'The log of the node says why.',
    );
  },
};
