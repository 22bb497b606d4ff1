import type { Context } from '../../context.ts';
import { userView } from '../../rules/views.ts';
import type { UserView } from '../../schemas/administration.ts';
import type { User } from '../../schemas/user.ts';
import { identitiesOf } from '../factors/provider/my-identities.ts';

/** A user as an administrator sees them. */
export const viewOfUser = (context: Pick<Context, 'providers' | 'clock'>, user: User): UserView =>
  userView(user, {
    now: context.clock(),
    providers: identitiesOf(context, user).flatMap(({ name, linked }) => (linked ? [name] : [])),
  });
