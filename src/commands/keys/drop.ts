import { type Keys, withKeyDropped } from '../../parts/keys/key-changes.ts';
import { KEY_SET_MAX_AGE, type KeyUse } from '../../parts/keys/key-dates.ts';
import { type Key, type KeyState, keyInUse, keyState } from '../../parts/keys/key-set.ts';
import { UsageError } from '../usage-error.ts';
import { nameOf } from './announce.ts';
import { changeKeys, refused, useOf } from './key-set-file.ts';
import type { KeysCommand } from './keys-command.ts';

const MASTER_NEEDS_YES = `Without this master secret, its refresh tokens are refused: the devices that hold one are signed
out as soon as their access tokens expire. Nothing tells a stolen refresh token from a true one.
To sign out fewer, run rotate --master first, and drop this one later: a device that refreshes
after ten minutes gets a token of the new secret. Until then the thief can use the old one.
Add --yes to drop it now.`;

const REMEDY: Record<KeyUse, string> = {
  signing: `Its tokens are refused by every node within a second. Nobody is signed out: clients refresh.
Verifiers accept its tokens until they fetch the key set again: up to ${KEY_SET_MAX_AGE} seconds, if they obey its max-age.
`,
  masters: `Its refresh tokens, device tokens and mailed links are refused by every node within a second.
The devices that hold one are signed out when their access tokens expire. Second factors go on
working: the secret stays in the file to decrypt them, until retire has encrypted them again.
`,
};

/** What the key that takes over means. `isKnown`: it was published before. */
function successionOf(
  keys: Keys,
  { use, isKnown, now }: { use: KeyUse; isKnown: boolean; now: number },
) {
  const name = nameOf(keyInUse<Key>(keys.set[use], now) as Key);
  if (use === 'masters') return `${name} signs now.\n`;
  return isKnown
    ? `${name} signs now. It was in the file before: if the whole file has leaked, drop it, too.\n`
    : `${name} signs now. Verifiers that do not look up an unknown kid refuse its tokens, up to ${KEY_SET_MAX_AGE} seconds.\n`;
}

export const drop: KeysCommand = {
  argument: 'KID',
  options: { yes: { meaning: 'drop a master secret, which signs out devices' } },
  summary: 'end a key that has leaked, at once',
  details: `Ends a key of SIGNING_KEYS now: every node refuses its tokens within a second. If it was in use,
the key that is waiting, or else a new one, signs at once.
A signing key: nobody is signed out. A master secret: devices are signed out, so it needs --yes.
If the whole file has leaked, drop every key in it, beginning with those that wait.`,
  run({ argument: kid, options, env, now, stdout }) {
    let found: { use: KeyUse; state: KeyState; isKnown: boolean } | undefined;
    const keys = changeKeys(env, (before) => {
      const use = useOf(before, kid);
      if (use === undefined)
        throw new UsageError('KID is the kid of a key of SIGNING_KEYS: see status');
      const all: Key[] = before.set[use];
      const key = all.find((each) => each.kid === kid) as Key;
      const state = keyState(key, all, now);
      if (state === 'gone') throw refused(`${nameOf(key)} is gone already. \`retire\` removes it.`);
      if (use === 'masters' && state !== 'published' && options['yes'] !== true)
        throw refused(MASTER_NEEDS_YES);
      const after = withKeyDropped(before, { kid, use, now });
      found = { use, state, isKnown: after.jwks.length < before.jwks.length };
      return after;
    });
    const { use, state, isKnown } = found as NonNullable<typeof found>;
    stdout.write(`${kid} is dropped.\n`);
    if (state === 'published') stdout.write('It had signed nothing. Run rotate to add another.\n');
    else stdout.write(REMEDY[use]);
    if (state === 'signing') stdout.write(successionOf(keys, { use, isKnown, now }));
    return 0;
  },
};
