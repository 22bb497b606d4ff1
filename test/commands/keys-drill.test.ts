import t from 'tap';
import { newSigningKey } from '../../src/parts/keys/new-keys.ts';
import type { PrivateJwk } from '../../src/schemas/jwk.ts';
import { DAY, drill, type Event, HOUR, MINUTE } from './keys-drill.ts';

const range = (from: number, to: number, step: number) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step);

const around = (second: number) => [-6, -3, -1, 0, 1, 3, 6].map((offset) => second + offset);

/** Closely while the signing key is replaced: it signs after 600 s, and the one before it is gone after 1,560 s. */
const MINUTES = [
  ...range(0, 45 * MINUTE, MINUTE),
  ...around(600),
  ...around(900),
  ...around(1_560),
];
/** Every other day while the master secret is, until half a year later. */
const MONTHS = [
  ...range(HOUR, 182 * DAY, 2 * DAY),
  ...around(600 + 30 * DAY),
  ...around(600 + 180 * DAY),
];

const isSigning = ({ use }: PrivateJwk) => use === 'sig';

t.test('a signing key and a master secret are replaced, and nobody notices', async (t) => {
  const events: Event[] = [
    { at: 60, act: (keys) => keys.run('rotate') },
    { at: 65, act: (keys) => keys.run('rotate', { master: true }) },
    { at: 2_000, act: (keys) => keys.run('retire') },
    { at: 2_001, act: (keys) => keys.run('check') },
    { at: 181 * DAY, act: (keys) => keys.run('retire') },
  ];
  t.same(await drill(t, events, [...MINUTES, ...MONTHS]), []);
});

t.test('new, and retire an hour later, does the same without a date', async (t) => {
  const events: Event[] = [
    { at: 60, act: (keys) => keys.run('new') },
    { at: HOUR, act: (keys) => keys.run('retire') },
  ];
  t.same(await drill(t, events, [...MINUTES, HOUR + 1, HOUR + 300]), []);
});

t.test('the drill notices a key that signs before verifiers have it', async (t) => {
  const act: Event['act'] = async (keys) =>
    keys.edit((all, now) => [...all, newSigningKey('ES256', now + 30)]);
  const wrong = await drill(t, [{ at: 60, act, lags: [1, 1, 1] }], range(0, 600, 30));
  t.same(wrong, ['a verifier refuses an access token after 90 s']);
});

t.test('the drill notices a key that signs before every node has it', async (t) => {
  const act: Event['act'] = async (keys) =>
    keys.edit((all, now) => [...all, newSigningKey('ES256', now + 30)]);
  const wrong = await drill(t, [{ at: 60, act, lags: [1, 1, 240] }], range(0, 600, 30));
  t.match(wrong.join(), /a node refuses an access token after 90 s/);
});

t.test('the drill notices an old key that is removed too early', async (t) => {
  const events: Event[] = [
    { at: 60, act: (keys) => keys.run('rotate') },
    {
      at: 1_200,
      act: async (keys) =>
        keys.edit((all) => all.filter((key, index) => !isSigning(key) || index > 0)),
      lags: [1, 1, 1],
    },
  ];
  t.same(await drill(t, events, range(0, 1_300, 30)), [
    'a node refuses an access token after 1201 s',
    'a verifier refuses an access token after 1201 s',
  ]);
});

t.test(
  'the drill notices a master secret that is removed while its tokens are valid',
  async (t) => {
    const events: Event[] = [
      { at: 60, act: (keys) => keys.run('rotate', { master: true }) },
      {
        at: 700,
        act: async (keys) => keys.edit((all) => all.filter((_, index) => index !== 1)),
        lags: [1, 1, 1],
      },
    ];
    const wrong = await drill(t, events, [0, 60, 780]);
    for (const what of [
      'a refresh is lost',
      'refuses a refresh token',
      'refuses a device token',
      'a second factor is lost',
    ])
      t.match(wrong.join(), new RegExp(what));
  },
);

t.test('the drill notices a master secret that is honoured for a session only', async (t) => {
  const events: Event[] = [
    { at: 60, act: (keys) => keys.run('rotate', { master: true }) },
    {
      at: 120,
      act: async (keys) =>
        keys.edit((all, now) =>
          all.map((key, index) => (index === 1 ? { ...key, exp: now + 30 * DAY } : key)),
        ),
    },
  ];
  t.same(await drill(t, events, range(0, 32 * DAY, DAY)), [
    `a node refuses a device token after ${31 * DAY} s`,
  ]);
});
