import { type Contender, interleaved, type Measured, median, spread } from './measure.ts';
import { startRedis } from './redis.ts';
import type { Bench } from './run.ts';
import { startSide } from './sides.ts';
import { atLeast, type Row } from './table.ts';

const request = (path: string, ...headers: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: auth.example.com', ...headers, '', ''].join('\r\n');

export const bearer = (path: string, token: string): string =>
  request(path, `Authorization: Bearer ${token}`);

/** As many as a browser's connections to a busy node. */
const CONNECTIONS = 32;

/** `GET /v1/whoami` beside the same bytes without authentication, without anything, and as others do the job. */
export async function whoami({
  loader,
  rounds,
  seconds,
  progress,
  say,
  draw,
}: Bench): Promise<Row[]> {
  const latchkey = await startSide('latchkey.ts');
  const { tokens, claims, publicKey } = latchkey.said;
  const BODY = JSON.stringify(claims);
  const bare = await startSide('fastify.ts', { BODY });
  const jwt = await startSide('express-jwt.js', {
    PUBLIC_KEY: publicKey,
    ISSUER: claims.iss,
    AUDIENCE: claims.aud,
  });
  const redis = await startRedis();
  const session = redis && (await startSide('express-session.js', { BODY, REDIS_URL: redis.url }));
  const counting = redis && (await startSide('latchkey.ts', { REDIS_URL: redis.url }));
  const sides = [
    latchkey,
    bare,
    jwt,
    ...(session ? [session] : []),
    ...(counting ? [counting] : []),
  ];

  const hot = tokens[0] as string;
  const contenders: Contender[] = [
    { name: 'whoami', side: latchkey, requests: [bearer('/v1/whoami', hot)] },
    {
      name: 'whoami, 10,000 tokens',
      side: latchkey,
      requests: tokens.map((token) => bearer('/v1/whoami', token)),
    },
    // With the token too, so that only what the server does with it differs.
    { name: 'public route', side: latchkey, requests: [bearer('/bench/public', hot)] },
    { name: 'bare Fastify', side: bare, requests: [bearer('/', hot)] },
    { name: 'Express, jsonwebtoken', side: jwt, requests: [bearer('/', hot)] },
    ...(session
      ? [
          {
            name: 'Express, session in Redis',
            side: session,
            requests: [request('/', `Cookie: ${await cookieOf(session.said.port)}`)],
          },
        ]
      : []),
    ...(counting
      ? [
          {
            name: 'whoami, counted in Redis',
            side: counting,
            requests: [bearer('/v1/whoami', counting.said.tokens[0] as string)],
          },
        ]
      : []),
  ].map(({ requests, ...contender }) => ({
    ...contender,
    load: { connections: CONNECTIONS, requests },
  }));

  const measured = await interleaved(contenders, { loader, rounds, seconds, progress });
  for (const side of sides) await side.stop();
  redis?.stop();
  if (!session) say('Redis is not installed here (Debian: redis-server): that side was left out.');

  const of = (name: string) => measured.get(name) as Measured;
  for (const [name, { rates, costs }] of measured)
    say(
      `${name}: ${Math.round(median(rates))} a second, ${median(costs).toFixed(1)} µs of processor time each`,
    );
  const drawn = ['whoami', 'Express, jsonwebtoken', 'Express, session in Redis'];
  draw({
    title: 'An authenticated request, on one processor',
    unit: 'a second',
    bars: drawn
      .filter((name) => measured.has(name))
      .map((name) => ({
        label: name === 'whoami' ? 'Latchkey' : name,
        value: median(of(name).rates),
      })),
  });
  const ratio = (what: string, one: string, other: string, target: number) => {
    const ratios = of(one).rates.map((rate, round) => rate / (of(other).rates[round] as number));
    return atLeast(what, median(ratios), target, spread(ratios));
  };
  return [
    ratio('whoami ÷ a public route of the same server', 'whoami', 'public route', 0.95),
    ratio('the same with 10,000 tokens in rotation', 'whoami, 10,000 tokens', 'public route', 0.9),
    ratio('whoami ÷ bare Fastify', 'whoami', 'bare Fastify', 0.75),
    ratio('whoami ÷ Express + jsonwebtoken', 'whoami', 'Express, jsonwebtoken', 4),
    ...(session
      ? [
          ratio(
            'whoami ÷ Express + express-session + Redis',
            'whoami',
            'Express, session in Redis',
            3,
          ),
          ratio('whoami, counted in Redis ÷ not', 'whoami, counted in Redis', 'whoami', 0.6),
        ]
      : []),
  ];
}

async function cookieOf(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST' });
  return String(answer.headers.get('set-cookie')).split(';', 1)[0] as string;
}
