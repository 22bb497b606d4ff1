import type { Context } from '../../context.ts';
import { emailKey } from '../../rules/accounts.ts';
import { Refusal } from '../../rules/refusal.ts';
import type { SubjectIdentifier } from '../../schemas/subject.ts';

/** The ID of the user whom the identifier names (RFC 9493). Refuses with `not_found` an unknown address or another issuer. */
export async function subjectId(
  { users, config }: Pick<Context, 'users' | 'config'>,
  subject: SubjectIdentifier,
): Promise<string> {
  switch (subject.format) {
    case 'opaque':
      return subject.id;
    case 'iss_sub':
      if (subject.iss !== config.ISSUER) throw new Refusal('not_found');
      return subject.sub;
    case 'email': {
      const user = await users.findByEmail(emailKey(subject.email));
      if (user === undefined) throw new Refusal('not_found');
      return user.id;
    }
  }
}
