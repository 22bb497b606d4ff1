import type { Context } from '../../context.ts';
import { randomId } from '../../parts/ids.ts';

/** What every own token has that lives for so many seconds from now, with an ID of its own. */
export function lifeOf({ clock }: Pick<Context, 'clock'>, seconds: number) {
  const iat = Math.floor(clock() / 1_000);
  return { jti: randomId(), iat, exp: iat + seconds };
}
