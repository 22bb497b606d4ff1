import type { Forger } from '../attacks/forger.ts';
import { audience, CLAIMS, issuer, now, type Row, sub } from './valid.ts';

export const accepted = ({
  token,
  header,
  claims,
  make,
  withClaims,
  withHeader,
}: Forger): Row[] => [
  ['valid', 'accept', 'A valid access token of a user.', 'RFC 9068 section 4', token],
  [
    'service-account',
    'accept',
    'A valid access token of a service account: scope repeats the roles.',
    'RFC 9068 section 2.2.3',
    withClaims({ client_id: sub, amr: [], roles: ['a', 'b'], scope: 'a b' }),
  ],
  [
    'typ-application',
    'accept',
    'The long form of the type at+jwt.',
    'RFC 9068 section 4',
    withHeader({ typ: 'application/at+jwt' }),
  ],
  [
    'aud-list',
    'accept',
    'aud is a list, and this service is in it.',
    'RFC 7519 section 4.1.3',
    withClaims({ aud: ['https://other.example.com', audience] }),
  ],
  [
    'claim-unknown',
    'accept',
    'Claims that are not understood must be ignored.',
    'RFC 7519 section 4',
    withClaims({ unknown: { value: 1 } }),
  ],
  [
    'header-unknown',
    'accept',
    'Header members that are not understood must be ignored, unless crit names them.',
    'RFC 7515 section 4',
    withHeader({ unknown: 1 }),
  ],
  [
    'header-reordered',
    'accept',
    'The members of a header may have any order.',
    'RFC 7515 section 4',
    make({ header: Object.fromEntries(Object.entries(header).reverse()) }),
  ],
  [
    'json-spaces',
    'accept',
    'JSON may contain spaces and line breaks.',
    'RFC 8259 section 2',
    make({ claims: JSON.stringify(claims, null, 2) }),
  ],
  [
    'nbf-now',
    'accept',
    'The current time may be equal to nbf.',
    'RFC 7519 section 4.1.5',
    withClaims({ nbf: now }),
  ],
];

export const ofTime = ({ claims, withClaims }: Forger): Row[] => [
  [
    'exp-past',
    'refuse',
    'The token expired an hour ago, which is more than any leeway.',
    'RFC 7519 section 4.1.4',
    withClaims({ iat: now - 4_500, exp: now - 3_600, auth_time: now - 4_500 }),
  ],
  [
    'exp-missing',
    'refuse',
    'An access token without exp would never expire.',
    'RFC 9068 section 2.2',
    withClaims({ exp: undefined }),
  ],
  [
    'exp-text',
    'refuse',
    'exp must be a number.',
    'RFC 7519 section 4.1.4',
    withClaims({ exp: `${claims['exp']}` }),
  ],
  [
    'exp-null',
    'refuse',
    'exp must be a number.',
    'RFC 7519 section 4.1.4',
    withClaims({ exp: null }),
  ],
  [
    'nbf-future',
    'refuse',
    'The token is not valid for another hour, which is more than any leeway.',
    'RFC 7519 section 4.1.5',
    withClaims({ nbf: now + 3_600, exp: now + 4_500 }),
  ],
  [
    'nbf-text',
    'refuse',
    'nbf must be a number.',
    'RFC 7519 section 4.1.5',
    withClaims({ nbf: `${now}` }),
  ],
];

export const ofClaims = ({ withClaims, make }: Forger): Row[] => {
  const other = 'https://other.example.com';
  return [
    ['iss-other', 'refuse', 'Another issuer.', 'RFC 9068 section 4', withClaims({ iss: other })],
    [
      'iss-slash',
      'refuse',
      'Issuers are compared exactly.',
      'RFC 9068 section 4',
      withClaims({ iss: `${issuer}/` }),
    ],
    [
      'iss-list',
      'refuse',
      'iss must be a text.',
      'RFC 7519 section 4.1.1',
      withClaims({ iss: [issuer] }),
    ],
    [
      'iss-missing',
      'refuse',
      'An access token must have iss.',
      'RFC 9068 section 2.2',
      withClaims({ iss: undefined }),
    ],
    ['aud-other', 'refuse', 'Another audience.', 'RFC 9068 section 4', withClaims({ aud: other })],
    [
      'aud-longer',
      'refuse',
      'The audience only starts like this service.',
      'RFC 7519 section 4.1.3',
      withClaims({ aud: `${audience}.evil.example` }),
    ],
    [
      'aud-empty',
      'refuse',
      'A list of audiences without this service.',
      'RFC 7519 section 4.1.3',
      withClaims({ aud: [] }),
    ],
    [
      'aud-missing',
      'refuse',
      'An access token must have aud.',
      'RFC 9068 section 2.2',
      withClaims({ aud: undefined }),
    ],
    [
      'sub-missing',
      'refuse',
      'An access token must have sub.',
      'RFC 9068 section 2.2',
      withClaims({ sub: undefined }),
    ],
    [
      'claims-list',
      'refuse',
      'The claims must be a JSON object.',
      'RFC 7519 section 7.2',
      make({ claims: '[]' }),
    ],
    [
      'claims-null',
      'refuse',
      'The claims must be a JSON object.',
      'RFC 7519 section 7.2',
      make({ claims: 'null' }),
    ],
    [
      'claims-no-json',
      'refuse',
      'The claims must be JSON.',
      'RFC 7519 section 7.2',
      make({ claims: `${JSON.stringify(CLAIMS).slice(0, -1)},}` }),
    ],
    [
      'claims-not-utf8',
      'refuse',
      'The claims must be UTF-8.',
      'RFC 7519 section 7.2',
      make({
        claims: Buffer.from(JSON.stringify(CLAIMS).replace('"editor"', '"\u00ff"'), 'latin1'),
      }),
    ],
  ];
};

export const ofKind = ({ withHeader }: Forger): Row[] =>
  (
    [
      ['typ-jwt', 'JWT', 'An ID token, for example, has this type.'],
      ['typ-refresh', 'refresh+jwt', 'Another kind of token.'],
      ['typ-missing', undefined, 'An access token must name its type.'],
    ] as const
  ).map(([id, typ, why]) => [id, 'refuse', why, 'RFC 9068 section 4', withHeader({ typ })]);
