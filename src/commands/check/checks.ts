import { accessToken } from './access-token.ts';
import { clock } from './clock.ts';
import { cookies } from './cookies.ts';
import { cors, corsStrangers } from './cors.ts';
import { metadata, openapi } from './documents.ts';
import { declared, securityHeaders, serverNames } from './every-answer.ts';
import { fuzz } from './fuzz.ts';
import { keyCache, keySet } from './key-set.ts';
import { mail } from './mail.ts';
import { allow, problems, requestIds } from './problems.ts';
import { compression, forwardedFor, headerSize, host, rateLimits } from './proxy.ts';
import { live, redirects, time } from './reach.ts';
import { ready } from './readiness.ts';
import { refresh } from './refresh.ts';
import { signedIn } from './sign-in.ts';
import { signedOut } from './sign-out.ts';
import { tokensRefused } from './tokens-refused.ts';
import { certificate, plainHttp } from './transport.ts';
import type { Check } from './verdict.ts';

/** Every check, in running order: the last ones look at all answers. */
export const checksFor = ({
  origins,
  document,
}: {
  origins: string[];
  document: string;
}): Check[] => [
  certificate,
  plainHttp,
  redirects,
  time,
  live,
  ready,
  openapi(document),
  metadata,
  keySet,
  keyCache,
  problems,
  allow,
  requestIds,
  tokensRefused,
  rateLimits,
  forwardedFor,
  host,
  headerSize,
  corsStrangers,
  ...origins.map(cors),
  signedIn,
  accessToken,
  refresh,
  cookies,
  fuzz,
  signedOut,
  mail,
  clock,
  securityHeaders,
  serverNames,
  compression,
  declared,
];
