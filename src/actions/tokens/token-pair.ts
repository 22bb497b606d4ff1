import type { Context } from '../../context.ts';
import { deviceIssuedAt, isDeviceOfOwner } from '../../rules/ownership.ts';
import { refreshAfter } from '../../rules/rotation.ts';
import { tokenTypeOf } from '../../rules/sessions.ts';
import { ACCESS_LIFE } from '../../schemas/claims.ts';
import type { Session, User } from '../../schemas/user.ts';

/** Seconds: 180 days. */
export const DEVICE_LIFE = 180 * 86_400;

const seconds = (milliseconds: number) => Math.floor(milliseconds / 1_000);

/** The holder of a token pair. `device`: the ID in the device token. */
export interface Holder {
  user: User;
  session: Session;
  device: string;
  /** `aud` of the access token, if it is not for this service. */
  audience?: string;
}

/** The same session state gives the same token, so a retry gets the successor that it missed. */
const refreshToken = ({ ownTokens }: Context, { user, session, device }: Holder): string =>
  ownTokens.issue('refresh', {
    sub: user.id,
    sid: session.id,
    gen: session.gen,
    ver: user.token_version,
    dev: device,
    iat: seconds(session.rotated_at),
    exp: seconds(session.expires_at),
  });

function deviceToken({ ownTokens, clock }: Context, { user, device }: Holder): string {
  const iat = deviceIssuedAt(user, clock());
  return ownTokens.issue('device', { sub: user.id, jti: device, iat, exp: iat + DEVICE_LIFE });
}

/** The device ID, if this is a device token of the user. Reads the token even if there is no user, to take as long. */
export function deviceOf(
  { ownTokens }: Context,
  user: User | undefined,
  token: string | undefined,
): string | undefined {
  const claims = token === undefined ? undefined : ownTokens.read('device', token);
  if (claims === undefined || claims.sub !== user?.id) return undefined;
  return isDeviceOfOwner(user, claims.iat) ? claims.jti : undefined;
}

/** The answer to a sign-in or refresh: access token, refresh token and device token. */
export function issuePair(context: Context, holder: Holder) {
  const { user, session, audience } = holder;
  return {
    access_token: context.accessTokens.issue(user, session, { audience }),
    token_type: tokenTypeOf(session),
    expires_in: ACCESS_LIFE,
    refresh_token: refreshToken(context, holder),
    refresh_expires_in: Math.max(0, seconds(session.expires_at - context.clock())),
    refresh_after: refreshAfter(Math.random()),
    session_id: session.id,
    device_token: deviceToken(context, holder),
  };
}
