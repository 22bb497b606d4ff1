import { readdirSync } from 'node:fs';
import t from 'tap';
import { type Letter, render } from '../../../../src/parts/mail/letter.ts';
import { alreadyRegistered } from '../../../../src/parts/mail/messages/already-registered.ts';
import { confirmAccount } from '../../../../src/parts/mail/messages/confirm-account.ts';
import { confirmEmail } from '../../../../src/parts/mail/messages/confirm-email.ts';
import { emailChanging } from '../../../../src/parts/mail/messages/email-changing.ts';
import { invitation } from '../../../../src/parts/mail/messages/invitation.ts';
import { newSignIn } from '../../../../src/parts/mail/messages/new-sign-in.ts';
import { type NoticeName, notice } from '../../../../src/parts/mail/messages/notice.ts';
import { reset } from '../../../../src/parts/mail/messages/reset.ts';
import { signInCode } from '../../../../src/parts/mail/messages/sign-in-code.ts';
import { signUp } from '../../../../src/parts/mail/messages/sign-up.ts';

const APP = 'https://app.example.com/base';
const PRODUCT = { APP_URL: APP, PRODUCT_NAME: 'Harbour' };
const TOKEN = 'aaa.bbb.ccc';

const notices = [
  'password.changed',
  'password.removed',
  'email.changed',
  'mfa.enabled',
  'mfa.disabled',
  'mfa.recovery_codes_renewed',
  'mfa.recovery_code_used',
  'passkeys.removed',
  'identities.unlinked',
  'session.reuse_detected',
  'account.deleted',
] satisfies NoticeName[];

const letters: Record<string, Letter[]> = {
  'already-registered.ts': [alreadyRegistered(PRODUCT)],
  'confirm-account.ts': [
    confirmAccount(PRODUCT, {
      madeAt: '26 November 2026 at 08:30 UTC',
      device: 'Firefox on Linux',
      token: TOKEN,
      notMeToken: TOKEN,
    }),
  ],
  'confirm-email.ts': [confirmEmail(PRODUCT, TOKEN)],
  'email-changing.ts': [emailChanging(APP)],
  'invitation.ts': [invitation(PRODUCT, TOKEN)],
  'new-sign-in.ts': [
    newSignIn(PRODUCT, { at: '26 November 2026 at 08:30 UTC', device: 'Firefox on Linux' }),
  ],
  'notice.ts': notices.map((name) => notice(name, APP)),
  'reset.ts': [reset(APP, TOKEN)],
  'sign-in-code.ts': [
    signInCode(PRODUCT, {
      code: '40817263',
      at: '26 November 2026 at 08:30 UTC',
      device: 'Firefox on Linux',
    }),
  ],
  'sign-up.ts': [signUp(PRODUCT, TOKEN)],
};

t.test('every letter there is is looked at here', async (t) => {
  t.same(readdirSync('src/parts/mail/messages').sort(), Object.keys(letters).sort());
});

t.test(
  'every letter says what happened, and links to the application and nowhere else',
  async (t) => {
    for (const [file, written] of Object.entries(letters)) {
      for (const letter of written) {
        t.match(letter.subject, /^[A-Z][^\r\n]{5,60}$/, file);
        t.ok(letter.paragraphs.length >= 2, 'and what to do if it was not you');
        const { text, html } = render(letter, 'Harbour');
        for (const form of [text, html]) {
          const links = form.match(/https?:[^\s"<]+/g) ?? [];
          t.equal(links.length > 0, letter.action !== undefined);
          for (const link of links) t.ok(link.startsWith(`${APP}/`), link);
        }
        for (const paragraph of letter.paragraphs) t.ok(text.includes(paragraph), 'in the text');
      }
    }
  },
);

t.test(
  'a token travels in the fragment, which no server ever sees, and not in the subject',
  async (t) => {
    for (const [file, written] of Object.entries(letters)) {
      for (const { subject, paragraphs, action, otherwise } of written) {
        t.notMatch([subject, ...paragraphs].join(), TOKEN, file);
        for (const each of [action, otherwise]) {
          if (each === undefined) continue;
          const url = new URL(each.link);
          t.notMatch(url.pathname + url.search, TOKEN, file);
          t.equal(url.search, '', file);
          if (url.hash !== '') t.equal(url.hash, `#token=${TOKEN}`, file);
        }
      }
    }
  },
);

t.test('what is only told carries no token', async (t) => {
  for (const file of ['already-registered.ts', 'email-changing.ts', 'new-sign-in.ts', 'notice.ts'])
    for (const letter of letters[file] ?? []) t.notMatch(letter.action?.link ?? '', '#');
});

t.test('what comes unasked says from which service it is before it is opened', async (t) => {
  for (const file of [
    'already-registered.ts',
    'invitation.ts',
    'new-sign-in.ts',
    'sign-in-code.ts',
    'sign-up.ts',
  ])
    for (const { subject } of letters[file] ?? []) t.match(subject, 'Harbour', file);
});

t.test('no two notices say the same', async (t) => {
  const said = notices.map((name) => notice(name, APP).paragraphs[0]);
  t.equal(new Set(said).size, notices.length);
});

t.test(
  'who did not add a way in is told to remove it, because a new password does not',
  async (t) => {
    for (const name of ['passkey.added', 'identity.linked'] as const) {
      const { paragraphs, action } = notice(name, APP);
      t.equal(
        paragraphs.at(-1),
        'If this was not you, remove it on your account page now, then choose a new password.',
        name,
      );
      t.same(action, { label: 'Open your account', link: `${APP}/account` }, name);
    }
  },
);
