import { askFor } from '../terminal.ts';
import type { Answer } from './exchange.ts';
import { membersOf } from './site.ts';
import type { Account, Check, Session, Verdict, World } from './verdict.ts';

export const GROUP = 'Account';

/** Signs in, with the second factor if there is a terminal to ask for its code. */
export async function askForTokens(
  { site, terminal }: World,
  { email, password }: Account,
  transport: 'body' | 'cookie',
): Promise<Answer> {
  const json = { email, password, transport };
  const answer = await site.ask('/v1/login', { method: 'POST', json });
  if (answer.status !== 202 || !terminal.stdin.isTTY) return answer;
  const code = await askFor('Code of the authenticator app', terminal);
  const { mfa_token } = membersOf(answer);
  return site.ask('/v1/login/mfa', { method: 'POST', json: { mfa_token, code } });
}

const objectIn = (part: string | undefined): Record<string, unknown> => {
  const value = JSON.parse(String(Buffer.from(String(part), 'base64url')));
  if (Object(value) !== value) throw new TypeError('not an object');
  return value;
};

/** The header and the claims of a JWS, unverified; undefined: it is none. */
export function partsOf(
  token: unknown,
): Record<'header' | 'claims', Record<string, unknown>> | undefined {
  if (typeof token !== 'string') return undefined;
  const [header, claims] = token.split('.', 2);
  try {
    return { header: objectIn(header), claims: objectIn(claims) };
  } catch {
    return undefined;
  }
}

/** The session of an answer with tokens; undefined: it has none. */
export function sessionOf(answer: Answer): Session | undefined {
  const { access_token, refresh_token } = membersOf(answer);
  const parts = partsOf(access_token);
  if (answer.status !== 200 || parts === undefined) return undefined;
  const aheadBy = Number(parts.claims['iat']) - answer.at / 1_000;
  return {
    ...parts,
    access: String(access_token),
    refresh: typeof refresh_token === 'string' ? refresh_token : '',
    // The fraction of its second is not in the token.
    aheadBy: Math.abs(aheadBy) < 1 ? 0 : aheadBy,
  };
}

export const bearer = (session: Session | undefined): { headers: Record<string, string> } => ({
  headers: session === undefined ? {} : { authorization: `Bearer ${session.access}` },
});

/** A check that needs a session. */
export const withSession = (
  check: Pick<Check, 'name' | 'needs'> & {
    group?: string;
    run(world: World, account: Required<Account>): Promise<Verdict>;
  },
): Check => ({
  group: GROUP,
  ...check,
  needs: ['sign-in', ...(check.needs ?? [])],
  run: (world) => check.run(world, world.account as Required<Account>),
});
