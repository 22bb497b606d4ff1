import type { FastifyRequest } from 'fastify';
import { randomId } from '../parts/ids.ts';
import type { SignIn } from '../rules/sessions.ts';

const MAX_CLIENT = 100;

/** The User-Agent header, truncated, for the list of devices. */
export const deviceNameOf = (request: FastifyRequest): string =>
  (request.headers['user-agent'] ?? '').slice(0, MAX_CLIENT);

/** Describes a password sign-in made with this request. */
export const signInOf = (request: FastifyRequest, transport: SignIn['transport']): SignIn => ({
  id: randomId(),
  amr: ['pwd'],
  transport,
  client: deviceNameOf(request),
});
