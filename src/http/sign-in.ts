import type { FastifyRequest } from 'fastify';
import { randomId } from '../parts/ids.ts';
import type { SignIn } from '../rules/sessions.ts';

const MAX_CLIENT = 100;

/** The User-Agent header, truncated, for the list of devices. */
export const deviceNameOf = (request: FastifyRequest): string =>
  (request.headers['user-agent'] ?? '').slice(0, MAX_CLIENT);

/** Describes a sign-in made with this request, by a password unless `amr` says otherwise. */
export const signInOf = (
  request: FastifyRequest,
  transport: SignIn['transport'],
  amr = ['pwd'],
): SignIn => ({ id: randomId(), amr, transport, client: deviceNameOf(request) });
