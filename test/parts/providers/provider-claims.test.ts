import t from 'tap';
import {
  answerMode,
  identityOf,
  ProviderClaims,
} from '../../../src/parts/providers/provider-claims.ts';

const addressOf = (issuer: string, claims: object) =>
  identityOf(
    { slot: '3', issuer },
    ProviderClaims.parse({ sub: 'ada', email: 'ada@example.com', ...claims }),
  ).email;

t.test('an address counts if the provider has verified it', async (t) => {
  const issuer = 'https://id.example.com';
  for (const email_verified of [true, 'true'])
    t.equal(addressOf(issuer, { email_verified }), 'ada@example.com');
  for (const email_verified of [false, 'false', '', null, 2, 'yes', {}, undefined])
    t.equal(addressOf(issuer, { email_verified }), undefined);
  t.equal(addressOf(issuer, { xms_edov: true }), undefined, 'a claim of Microsoft alone');
  t.equal(addressOf(issuer, { email: 1, email_verified: true }), undefined);
  t.same(identityOf({ slot: '3', issuer }, ProviderClaims.parse({ sub: 'ada', name: 7 })), {
    column: 'identity_3',
    issuer,
    sub: 'ada',
    email: undefined,
    name: undefined,
  });
});

t.test('at Microsoft it counts if the organization owns its domain', async (t) => {
  const issuer = 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0';
  for (const xms_edov of [true, 'true', 1, '1'])
    t.equal(addressOf(issuer, { xms_edov }), 'ada@example.com');
  for (const xms_edov of [false, 'false', 0, '0', undefined])
    t.equal(addressOf(issuer, { xms_edov, email_verified: true }), undefined);
});

t.test('Apple is asked to answer with a form', async (t) => {
  t.same(answerMode('https://appleid.apple.com'), { response_mode: 'form_post' });
  t.same(answerMode('https://accounts.google.com'), {});
});
