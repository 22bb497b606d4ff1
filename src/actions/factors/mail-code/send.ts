import type { Context } from '../../../context.ts';
import { signInCode } from '../../../parts/mail/messages/sign-in-code.ts';
import { mailCode } from '../../../parts/mail-codes/mail-code.ts';
import { emailKey } from '../../../rules/accounts.ts';
import { codeState } from '../../../rules/mail-codes.ts';
import { spokenDevice, spokenTime } from '../../../rules/spoken.ts';
import { isUnclaimed } from '../../../rules/unclaimed.ts';
import { postLimited } from '../../accounts/letters.ts';
import { lifeOf } from '../../tokens/life.ts';
import { deviceOf } from '../../tokens/token-pair.ts';

/** Seconds. */
const LIFE = 600;

/** Who asks for a code. `client`: the User-Agent. */
interface Asked {
  email: string;
  network: string;
  deviceToken: string | undefined;
  client: string;
}

/**
 * The half of a code that stays with the browser, whether the address has an account or not. If it has, the code goes there by
 * mail. Older codes stay right until the next sign-in, so a stranger who asks takes none away. A known device has letters
 * of its own: a stranger cannot use them up. Not those of an account that a stranger may have made: each of its sign-ins is a new device.
 */
export async function sendMailCode(
  context: Context,
  { email, network, deviceToken, client }: Asked,
): Promise<{ code_token: string; expires_in: number }> {
  const { users, ownTokens, clock, config, keys } = context;
  const user = await users.findByEmail(emailKey(email));
  const device = deviceOf(context, user, deviceToken);
  const now = clock();
  const life = lifeOf(context, LIFE);
  const code_token = ownTokens.issue('mail-code', { sub: email, ...life });
  if (user?.status === 'active' && user.email !== null) {
    const counted = isUnclaimed(user) ? undefined : device;
    const limit = { occasion: 'code' as const, email: user.email, network, device: counted };
    postLimited(context, limit, () =>
      signInCode(config, {
        code: mailCode(keys, { ...life, state: codeState(user) }),
        at: spokenTime(now),
        device: spokenDevice(client),
      }),
    );
  }
  return { code_token, expires_in: LIFE };
}
