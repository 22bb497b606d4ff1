import { randomUUID } from 'node:crypto';
import { sessionOf, withSession } from './session.ts';
import { codeIn } from './site.ts';
import { type Session, verdictOf, wrong } from './verdict.ts';

export const refresh = withSession({
  name: 'refresh',
  async run({ site }, account) {
    const attempt = {
      method: 'POST',
      headers: { 'idempotency-key': randomUUID() },
      json: { refresh_token: account.session.refresh },
    };
    const first = await site.ask('/v1/refresh', attempt);
    const second = await site.ask('/v1/refresh', attempt);
    const failed = [first, second].find((answer) => sessionOf(answer) === undefined);
    if (failed !== undefined)
      return wrong(
        `a refresh is answered ${failed.status}${codeIn(failed)}`,
        'Let the proxy pass the header Idempotency-Key: without it a lost answer can sign people out.',
      );
    const sessions = [first, second].map((answer) => sessionOf(answer) as Session);
    const tokens = new Set(sessions.map((session) => session.refresh));
    account.session = sessions[1] as Session;
    return verdictOf(
      tokens.size === 1 ? [] : ['a repeated refresh got another token'],
      'a repeated refresh gets the same successor',
      'Do all nodes have the same SIGNING_KEYS and the same database?',
    );
  },
});
