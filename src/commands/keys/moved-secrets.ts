import type { Context } from '../../context.ts';
import { resealed, sealerOf } from '../../parts/second-factor/secret-box.ts';
import { UnreadableRow } from '../../parts/storage/users.ts';
import type { User } from '../../schemas/user.ts';

/** Rows per query. */
const PAGE = 500;

const secretsOf = ({ mfa }: User): string[] =>
  [mfa.totp, mfa.pending].flatMap((totp) => (totp === undefined ? [] : [totp.secret]));

function withSecretsMoved({ keys, clock }: Context, user: User): User {
  const moved = <Totp extends { secret: string }>(totp: Totp): Totp => ({
    ...totp,
    secret: resealed(keys, { sealed: totp.secret, userId: user.id, now: clock() }),
  });
  const { totp, pending } = user.mfa;
  return {
    ...user,
    mfa: {
      ...user.mfa,
      ...(totp && { totp: moved(totp) }),
      ...(pending && { pending: moved(pending) }),
    },
  };
}

/** Encrypts the TOTP secrets of these master secrets with the one in use. Returns how many rows it could not read. */
export async function moveSecrets(
  context: Context,
  masters: string[],
): Promise<{ moved: number; unreadable: number }> {
  const count = { moved: 0, unreadable: 0 };
  const isAffected = (user: User) =>
    secretsOf(user).some((sealed) => masters.includes(sealerOf(sealed)));
  for await (const page of context.users.everyRow(PAGE)) {
    for (const row of page) {
      if (row === undefined) count.unreadable += 1;
      else if (isAffected(row)) {
        try {
          await context.users.change(row, (user) => ({
            user: withSecretsMoved(context, user),
            result: undefined,
          }));
          count.moved += 1;
        } catch (error) {
          if (!(error instanceof UnreadableRow)) throw error;
          count.unreadable += 1;
        }
      }
    }
  }
  return count;
}
