import type { FastifyRequest } from 'fastify';
import { Refusal } from '../rules/refusal.ts';
import { logEvent } from './logging.ts';

/** Logs that a passkey was refused because there may be a copy of it. */
export async function logCopied<T>(request: FastifyRequest, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'passkey_copied')
      logEvent(request, 'passkey.copied', { user: error.circumstances.user });
    throw error;
  }
}
