import type { Json } from '../attacks/forger.ts';

/** Seconds. */
export const now = 1_795_456_800;
export const issuer = 'https://auth.example.com';
export const audience = 'https://api.example.com';
export const typ = 'at+jwt';
export const sub = '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b';

export const CLAIMS: Json = {
  iss: issuer,
  aud: audience,
  sub,
  client_id: 'latchkey',
  iat: now - 60,
  exp: now + 840,
  jti: 'Zr5oDxw0nXw8o7m3yq1eVA',
  sid: 'q83vEjRWeJCrze8SNFZ4kA',
  ver: 0,
  roles: ['editor'],
  amr: ['pwd'],
  auth_time: now - 60,
};

export type Row = [
  id: string,
  verdict: 'accept' | 'refuse',
  why: string,
  source: string,
  token: string,
];
