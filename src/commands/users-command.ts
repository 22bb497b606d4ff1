import { hashNewPassword } from '../actions/accounts/new-password.ts';
import { ADMIN, administer, withAmendment } from '../actions/administration/administration.ts';
import { faultOfTokenSize } from '../actions/administration/token-size.ts';
import type { Context } from '../context.ts';
import { newUserId } from '../parts/ids.ts';
import { emailKey, newPerson } from '../rules/accounts.ts';
import { withEverySessionEnded } from '../rules/sessions.ts';
import { accountView } from '../rules/views.ts';
import { Name, NewEmail } from '../schemas/fields.ts';
import type { User } from '../schemas/user.ts';
import { EX_DATAERR } from './exit-codes.ts';
import { exportWithSecrets } from './export-with-secrets.ts';
import { importUsers } from './import-users.ts';
import { progressBar } from './progress-bar.ts';
import { askFor, type Terminal, write } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import type { UsersCommand } from './users-usage.ts';

const PAGE = 500;

async function* everyUser({ users }: Context, emailPrefix?: string): AsyncGenerator<User> {
  let after: string | undefined;
  do {
    const page = await users.list({ kind: 'person', after, limit: PAGE, emailPrefix });
    yield* page;
    const last = page.length === PAGE ? page.at(-1) : undefined;
    after = (emailPrefix === undefined ? last?.id : last?.email_key) ?? undefined;
  } while (after !== undefined);
}

async function create(
  context: Context,
  terminal: Terminal,
  { email, name, admin }: { email: string; name: string | undefined; admin: boolean },
) {
  const { success } = NewEmail.safeParse(email);
  if (!success) throw new UsageError(`${email} is not a valid email address`);
  const named = Name.nullable().safeParse(name ?? null);
  if (!named.success) throw new UsageError(`--name ${named.error.issues[0]?.message}`);
  const password = await askFor('Password', terminal);
  const passwordHash = await hashNewPassword(context, { password, email, path: '/password' });
  const now = context.clock();
  const user: User = {
    ...newPerson({ id: newUserId(now), email, name: named.data, passwordHash }, now),
    roles: admin ? [ADMIN] : [],
    // The operator vouches for the address.
    email_verified_at: now,
  };
  await context.users.insert(user);
  terminal.stdout.write(`${user.id} ${email}${admin ? ' (admin)' : ''}\n`);
}

async function changeByEmail(
  context: Context,
  { stdout }: Terminal,
  {
    email,
    decide,
    done,
  }: { email: string; decide: (user: User, now: number) => User; done: string },
) {
  const found = await context.users.findByEmail(emailKey(email));
  if (found === undefined) throw new UsageError(`no account has the address ${email}`);
  await administer(context, { id: found.id, kind: 'person' }, (user, now) => ({
    user: decide(user, now),
    result: undefined,
  }));
  stdout.write(`${found.id} ${email}: ${done}\n`);
}

async function list(context: Context, { stdout }: Terminal, emailPrefix: string | undefined) {
  for await (const user of everyUser(context, emailPrefix && emailKey(emailPrefix))) {
    const { id, email, status, roles, sessions } = accountView(user, context.clock());
    const line = [id, status, email, `${sessions} sessions`, ...roles].join('  ');
    if (!(await write(stdout, `${line}\n`))) return;
  }
}

async function runImport(
  context: Context,
  { stdout, stderr }: Terminal,
  { file, options }: { file: string; options: UsersCommand['options'] },
): Promise<number> {
  const isDryRun = options['dry-run'];
  const { from } = options;
  const unit = from === undefined ? 'line' : 'user';
  const bar = progressBar(stderr);
  const { added, present, refused } = await importUsers(file, {
    users: context.users,
    keys: context.keys,
    clock: context.clock,
    faultOf: (user) => faultOfTokenSize(context, user),
    isDryRun,
    foreign:
      from === undefined
        ? undefined
        : {
            from,
            hashConfig: options['hash-config'],
            accounts: options.accounts,
            withAdmins: options.admins,
            withoutSecondFactors: options['without-second-factors'],
          },
    report: {
      refused: (line, reason) => stderr.write(`${unit} ${line}: ${reason}\n`),
      progress: bar.show,
    },
  }).finally(bar.stop);
  const verb = isDryRun ? 'would be added' : 'added';
  stdout.write(`${added} ${verb}, ${present} already present, ${refused} refused\n`);
  return refused > 0 ? EX_DATAERR : 0;
}

async function runExport(context: Context, { stdout }: Terminal) {
  for await (const user of everyUser(context)) {
    const { sessions: _sessions, mfa: _mfa, ...exported } = accountView(user, context.clock());
    if (!(await write(stdout, `${JSON.stringify(exported)}\n`))) return;
  }
}

async function runExportWithSecrets(
  { users }: Context,
  { stdout, stderr }: Terminal,
  file: string,
): Promise<number> {
  const bar = progressBar(stderr);
  const { written, unreadable } = await exportWithSecrets(file, {
    users,
    progress: bar.show,
  }).finally(bar.stop);
  stderr.write(
    `${file} contains password hashes, TOTP secrets (encrypted with SIGNING_KEYS) and all sessions. Keep it safe, and delete it after the import.\n`,
  );
  stdout.write(`${written} rows written\n`);
  if (unreadable === 0) return 0;
  stderr.write(`${unreadable} rows cannot be read, and are not in the file\n`);
  return EX_DATAERR;
}

/** Runs a command. Returns its exit code. Throws UsageError, or the Refusal of an action. */
export async function runUsersCommand(
  { name, argument, options }: UsersCommand,
  context: Context,
  terminal: Terminal,
): Promise<number> {
  switch (name) {
    case 'create':
      await create(context, terminal, {
        email: argument,
        name: options.name,
        admin: options.admin,
      });
      return 0;
    case 'list':
      await list(context, terminal, options.email);
      return 0;
    case 'disable':
      await changeByEmail(context, terminal, {
        email: argument,
        decide: (user, now) => withAmendment(user, { status: 'disabled' }, now),
        done: 'disabled, signed out everywhere',
      });
      return 0;
    case 'enable':
      await changeByEmail(context, terminal, {
        email: argument,
        decide: (user, now) => withAmendment(user, { status: 'active' }, now),
        done: 'enabled',
      });
      return 0;
    case 'end-sessions':
      await changeByEmail(context, terminal, {
        email: argument,
        decide: withEverySessionEnded,
        done: 'signed out everywhere',
      });
      return 0;
    case 'import':
      return runImport(context, terminal, { file: argument, options });
    case 'export':
      if (options['with-secrets'] !== undefined)
        return runExportWithSecrets(context, terminal, options['with-secrets']);
      await runExport(context, terminal);
      return 0;
  }
}
