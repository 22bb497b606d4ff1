import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret, TOTP } from 'otpauth';
import t from 'tap';
import { FORMATS } from '../../src/commands/formats/formats.ts';
import { folder } from '../databases.ts';
import { PASSWORD, testApp } from '../test-app.ts';
import { commandLine } from './command-line.ts';

const FILES = 'test/commands/formats';
const TOTP_SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const uuid = (number: number) =>
  `6f1c1c5e-8a52-4c53-9c6c-5a1f8f7a2b${number.toString().padStart(2, '0')}`;

interface Expected {
  id?: string;
  name?: string | null;
  roles?: string[];
  verified?: boolean;
  disabled?: boolean;
  /** undefined: `PASSWORD`; null: none. */
  password?: string | null;
  totp?: string;
}

interface Case {
  file: string;
  options?: string[];
  /** By the part of the address before the @. */
  users: Record<string, Expected>;
  refused: RegExp[];
  /** The same users as CSV, in the ways of several databases. */
  csv?: {
    file: string;
    options?: string[];
    /** Those who are in the file more than once. */
    present?: number;
    refused?: RegExp[];
  }[];
}

const LOST = /second factor/;
const UNSUPPORTED = /format or a cost/;

/**
 * The files have the documented shape of each system. Their hashes were made by the system itself (Django, Werkzeug),
 * by Python's hashlib, bcrypt, argon2-cffi and Passlib, or are published (Firebase).
 */
const CASES: Record<string, Case> = {
  'better-auth': {
    file: 'better-auth.json',
    users: {
      ada: { id: uuid(1), name: 'Ada', roles: ['content-editor'], verified: true },
      wide: { name: null, password: '\ufb01ve office \u2460 pass', disabled: true },
      social: { id: uuid(2), verified: true, password: null },
    },
    refused: [UNSUPPORTED, LOST],
    csv: [
      { file: 'better-auth-joined.csv', present: 2 },
      {
        file: 'better-auth-user.csv',
        options: ['--accounts', `${FILES}/better-auth-account.csv`],
      },
    ],
  },
  supabase: {
    file: 'supabase.json',
    users: {
      ada: {
        id: uuid(11),
        name: 'Ada Lovelace',
        roles: ['editor'],
        verified: true,
        totp: TOTP_SECRET,
      },
      link: { id: uuid(12), password: null, disabled: true },
    },
    refused: [LOST, /email/],
    csv: [{ file: 'supabase.csv' }],
  },
  keycloak: {
    file: 'keycloak.json',
    users: {
      sha512: { id: uuid(21), name: 'Ada Lovelace', roles: ['editor'], verified: true },
      sha256: { id: uuid(22), verified: true, roles: ['editor'], totp: TOTP_SECRET },
      argon2: {
        id: uuid(23),
        verified: true,
        disabled: true,
        roles: ['editor'],
        totp: Secret.fromUTF8('12345678901234567890').base32,
      },
      federated: { id: uuid(28), name: null, verified: true, roles: ['editor'], password: null },
    },
    refused: [UNSUPPORTED, LOST, LOST, /shape/],
  },
  auth0: {
    file: 'auth0.ndjson',
    users: { ada: { name: 'Ada', roles: ['editor'], verified: true }, id: { verified: true } },
    refused: [LOST],
  },
  firebase: {
    file: 'firebase.json',
    options: ['--hash-config', `${FILES}/firebase-hash-config.txt`],
    users: {
      ada: { name: 'Ada', roles: ['editor'], verified: true, password: 'user1password' },
      safe: { password: 'user1password', disabled: true },
      google: { password: null, verified: true },
    },
    refused: [LOST],
  },
  django: {
    file: 'django.json',
    options: ['--admins'],
    users: {
      pbkdf2: { name: 'Ada Lovelace', roles: ['content-editors', 'admin'] },
      argon2: { name: 'argon2' },
      bcrypt256: { id: uuid(31) },
      scrypt: {},
      bcrypt: { disabled: true },
      unusable: { password: null },
    },
    refused: [UNSUPPORTED],
  },
  laravel: {
    file: 'laravel.json',
    users: {
      ada: { name: 'Ada', roles: ['editor'], verified: true },
      argon: { id: uuid(41) },
      none: { password: null },
    },
    refused: [LOST],
    csv: [{ file: 'laravel.csv' }],
  },
  wordpress: {
    file: 'wordpress.json',
    users: {
      ada: { name: 'Ada', roles: ['editor'] },
      new: { name: 'new', roles: ['subscriber'] },
      none: { password: null },
    },
    refused: [UNSUPPORTED],
    csv: [{ file: 'wordpress.csv' }],
  },
  aspnet: {
    file: 'aspnet.json',
    users: {
      ada: { id: uuid(51), roles: ['editor'], verified: true, totp: TOTP_SECRET },
      sha256: { id: uuid(52), disabled: true },
      none: { password: null },
    },
    refused: [UNSUPPORTED, UNSUPPORTED, LOST],
    csv: [{ file: 'aspnet.csv' }],
  },
  werkzeug: {
    file: 'werkzeug.jsonl',
    users: {
      ada: { name: 'ada', roles: ['editor'], verified: true },
      pbkdf2: { id: uuid(61), name: 'Pbkdf2', disabled: true },
      none: { password: null },
    },
    refused: [UNSUPPORTED, /object/],
    csv: [{ file: 'werkzeug.csv', refused: [UNSUPPORTED, /columns/] }],
  },
};

t.same(Object.keys(CASES).sort(), Object.keys(FORMATS).sort(), 'each format is tried');

const FILES_OF_CASES = Object.entries(CASES).flatMap(([format, { csv = [], ...json }]) =>
  [json, ...csv].map((file) => ({ format, options: [], present: 0, ...json, ...file })),
);

for (const { format, file, options, present, users, refused } of FILES_OF_CASES) {
  t.test(`users of ${format} in ${file} sign in with their passwords`, async (t) => {
    const app = await testApp(t);
    const { context, login, post, clock } = app;
    const command = commandLine(context);
    const words = ['import', '--from', format, ...options, `${FILES}/${file}`];
    const count = Object.keys(users).length;
    const dry = await command([...words, '--dry-run']);
    t.equal(
      dry.out,
      `${count} would be added, ${present} already present, ${refused.length} refused\n`,
    );
    const { code, out, err } = await command(words);
    t.equal(out, `${count} added, ${present} already present, ${refused.length} refused\n`);
    t.equal(code, 65);
    const reasons = err.trimEnd().split('\n');
    t.equal(reasons.length, refused.length, err);
    for (const [index, reason] of refused.entries()) t.match(reasons[index], reason);

    for (const [name, expected] of Object.entries(users)) {
      const email = `${name}@${format}.test`;
      const { password = PASSWORD, totp, disabled = false } = expected;
      const user = await context.users.findByEmail(email);
      t.ok(user, email);
      if (expected.id !== undefined) t.equal(user?.id, expected.id, email);
      if (expected.name !== undefined) t.equal(user?.name, expected.name, email);
      t.same(user?.roles, expected.roles ?? [], email);
      t.equal(user?.email_verified_at, expected.verified ? clock.now : null, email);
      t.equal(user?.status, disabled ? 'disabled' : 'active', email);
      if (password === null) {
        t.equal(user?.password_hash, null, email);
        continue;
      }
      t.equal((await login(email, `${password}!`)).statusCode, 401, email);
      if (disabled) await command(['enable', email]);
      const answer = await login(email, password);
      t.equal(answer.statusCode, totp === undefined ? 200 : 202, `${email} ${answer.body}`);
      const { password_hash } = (await context.users.findByEmail(email)) ?? {};
      t.match(password_hash, /^\$argon2id\$v=19\$m=8,/, `${email}: the hash was replaced`);
      if (totp === undefined) continue;
      t.notMatch(JSON.stringify(user), totp, 'encrypted');
      const secret = Secret.fromBase32(totp);
      const proof = {
        mfa_token: answer.json().mfa_token,
        code: new TOTP({ secret }).generate({ timestamp: clock.now }),
      };
      t.equal((await post('/v1/login/mfa', proof)).statusCode, 200, email);
    }
  });
}

t.test('what the operator must allow', async (t) => {
  const { context } = await testApp(t);
  const command = commandLine(context);
  const words = ['import', '--from', 'wordpress', `${FILES}/wordpress.json`];
  await command(words);
  t.same((await context.users.findByEmail('ada@wordpress.test'))?.roles, ['editor'], 'no admin');
  const two = ['import', '--from', 'laravel', '--without-second-factors', `${FILES}/laravel.json`];
  t.match(await command(two), { code: 0, out: '4 added, 0 already present, 0 refused\n' });
  t.match(await context.users.findByEmail('two@laravel.test'), { mfa: { totp: undefined } });
});

t.test('a wrong command line is refused', async (t) => {
  const { context } = await testApp(t);
  const command = commandLine(context);
  const file = `${FILES}/firebase.json`;
  await t.rejects(command(['import', '--from', 'toString', file]), {
    message: /^--from is one of/,
  });
  await t.rejects(command(['import', '--from', 'firebase', file]), {
    message: '--from firebase needs --hash-config FILE',
  });
  const config = join(folder(t), 'config.txt');
  writeFileSync(config, 'rounds: 8');
  await t.rejects(command(['import', '--from', 'firebase', '--hash-config', config, file]), {
    message: /has no base64_signer_key/,
  });
});

t.test('an account of Better Auth that cannot be read stops the import', async (t) => {
  const { context } = await testApp(t);
  const users = '"user":[{"id":"1","email":"a@example.com"}]';
  const header = 'userId,providerId,password\n';
  const place = folder(t);
  const imported = (tables: string, accounts?: string) => {
    const [file, accountFile] = [join(place, 'tables.json'), join(place, 'account.csv')];
    writeFileSync(file, tables);
    writeFileSync(accountFile, accounts ?? '');
    const options = accounts === undefined ? [] : ['--accounts', accountFile];
    return commandLine(context)(['import', '--from', 'better-auth', ...options, file]);
  };
  for (const [accounts, why] of [
    ['"account":[{x}]', '1 of the file is not JSON'],
    ['"account":[{"user_id":"1","password":"x"}]', '1 of the file has a password, and no userId'],
    ['"accounts":[]', '1 of the file is not there'],
  ])
    await t.rejects(imported(`{${users},${accounts}}`), {
      message: `account ${why}`,
      exitCode: 65,
    });
  for (const [row, why] of [
    ['x,goog"le,', 'is not CSV with the columns of the header'],
    ['1,"credential,x', 'has a quote that does not end'],
  ])
    await t.rejects(imported(`{${users}}`, `${header}0,github,\n${row}\n`), {
      message: `account 2 of the file ${why}`,
      exitCode: 65,
    });
  const lines = join(place, 'account.jsonl');
  writeFileSync(lines, 'null');
  const words = [
    'import',
    '--from',
    'better-auth',
    '--accounts',
    lines,
    join(place, 'tables.json'),
  ];
  await t.rejects(commandLine(context)(words), {
    message: 'account 1 of the file is not an object',
  });
  t.equal(await context.users.findByEmail('a@example.com'), undefined, 'nothing was written');
  const long = `${header}1,github,${'x'.repeat(70_000)}\n`;
  t.match(await imported(`{${users}}`, long), { code: 0, out: /^1 added/ }, 'too long: of another');
  const joined = join(place, 'joined.csv');
  writeFileSync(joined, 'id,email,password\n2,b"@example.com,x\n3,c@example.com,\n');
  t.match(await commandLine(context)(['import', '--from', 'better-auth', joined]), {
    code: 65,
    err: 'user 1: is not CSV with the columns of the header\n',
    out: /^1 added/,
  });
});

t.test('a name loses what it may not have, and its user stays', async (t) => {
  const { context } = await testApp(t);
  const hidden = `${'x'.repeat(98)}y\u{1f600}`;
  const names = {
    '\u202eadA\u2069\u2028King\u0000': 'adA King',
    '\u202e \ue000': null,
    'می\u200cخواهم 👩\u200d💻': 'می\u200cخواهم 👩\u200d💻',
    'a\ud800b': 'ab',
    [hidden]: hidden.slice(0, 99),
  };
  const file = join(folder(t), 'users.json');
  const users = Object.keys(names).map((name, at) => ({ email: `u${at}@example.com`, name }));
  writeFileSync(file, JSON.stringify(users));
  const words = ['import', '--from', 'laravel', file];
  t.match(await commandLine(context)(words), { code: 0, out: /^5 added/ });
  for (const [at, name] of Object.values(names).entries())
    t.equal((await context.users.findByEmail(`u${at}@example.com`))?.name, name);
  writeFileSync(file, JSON.stringify({ email: 'own@example.com', name: 'A\u202eda' }));
  t.match(await commandLine(context)(['import', file]), { code: 0 });
  t.equal((await context.users.findByEmail('own@example.com'))?.name, 'Ada', 'also in lines');
});

t.test('a CSV file without what the format needs is refused as a whole', async (t) => {
  const { context } = await testApp(t);
  const command = commandLine(context);
  const users = join(folder(t), 'user.CSV');
  writeFileSync(users, 'id,email\n1,a@example.com\n');
  const accounts = join(folder(t), 'account.csv');
  writeFileSync(accounts, 'user_id,password\n1,x\n');
  const words = ['import', '--from'];
  await t.rejects(command([...words, 'better-auth', users]), {
    message: 'the CSV file has no column password',
  });
  await t.rejects(command([...words, 'better-auth', '--accounts', accounts, users]), {
    message: 'the CSV file has no column providerId',
  });
  await t.rejects(command([...words, 'wordpress', users]), {
    message: 'the CSV file has no column user_email',
  });
  await t.rejects(command([...words, 'keycloak', users]), {
    message: 'this format is not read as CSV',
  });
  t.equal(await context.users.findByEmail('a@example.com'), undefined);
});

t.test('a second factor of the JSON Lines form is taken over, and an ID', async (t) => {
  const { context } = await testApp(t);
  const file = join(folder(t), 'users.jsonl');
  const line = {
    email: 'a@example.com',
    id: uuid(99).toUpperCase(),
    totp_secret: `${TOTP_SECRET.toLowerCase()}==`,
  };
  const bad = { email: 'b@example.com', totp_secret: '1' };
  const same = { email: 'c@example.com', id: uuid(99) };
  writeFileSync(file, [line, bad, same].map((each) => JSON.stringify(each)).join('\n'));
  const { out, err } = await commandLine(context)(['import', file]);
  t.equal(out, '1 added, 1 already present, 1 refused\n', 'an ID is used once');
  t.equal(err, 'line 2: totp_secret must be base32\n');
  t.ok((await context.users.findById(uuid(99)))?.mfa.totp);
});

t.test(
  'the JSON Lines form has the accounts at outside providers, each for one user',
  async (t) => {
    const { context } = await testApp(t);
    const file = join(folder(t), 'users.jsonl');
    const identity_2 = 'https://id.example.com|ada';
    const lines = [
      { email: 'a@example.com', identity_2 },
      { email: 'b@example.com', identity_2 },
      { email: 'c@example.com', identity_1: 'ada' },
      { email: 'd@example.com', identity_1: null },
    ];
    writeFileSync(file, lines.map((each) => JSON.stringify(each)).join('\n'));
    const { out, err } = await commandLine(context)(['import', file]);
    t.equal(out, '2 added, 1 already present, 1 refused\n');
    t.equal(err, 'line 3: identity_1 must be ISSUER|SUB\n');
    const owner = await context.users.findByIdentity('identity_2', identity_2);
    t.equal(owner?.email, 'a@example.com');
  },
);
