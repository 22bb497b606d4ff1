import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { WRITE_FAULTS } from '../../parts/storage/faults.ts';

const Check = z.enum(['ok', 'failing']).meta({ id: 'Check' });

const Readiness = z
  .object({
    status: Check,
    database: Check.describe('Whether it can be written to.'),
    database_fault: z
      .enum(WRITE_FAULTS)
      .meta({
        id: 'DatabaseFault',
        description: 'Why it cannot be written to. `timeout`: it is slow, hangs or is locked.',
      })
      .optional(),
    keys: Check.describe('Whether there is a key to sign with.'),
    revocations: Check.describe('Whether the list of revoked tokens is up to date.'),
  })
  .meta({
    id: 'Readiness',
    description: 'Which parts work.',
    examples: [{ status: 'ok', database: 'ok', keys: 'ok', revocations: 'ok' }],
  });

const check = (isOk: boolean) => (isOk ? ('ok' as const) : ('failing' as const));

export function ready(
  app: App,
  { writeProbe, keys, revocationFeed, shutdown, clock }: Context,
): void {
  app.route({
    method: 'GET',
    url: '/readyz',
    config: { access: 'public' },
    schema: {
      operationId: 'checkReadiness',
      tags: ['Health'],
      summary: 'Check whether this node can serve requests',
      description:
        'Says which part is failing; the log has the details. Tests the database with a small write, at most once a second.',
      response: {
        200: Readiness,
        503: { description: 'Not now.', content: { 'application/json': { schema: Readiness } } },
      },
    },
    handler: async (_request, reply) => {
      const database_fault = await writeProbe.fault();
      const canSign = keys.signingKey(clock()) !== undefined;
      const isWritable = database_fault === undefined;
      const isReady = isWritable && canSign && revocationFeed.isFresh && !shutdown.isLeaving;
      // A second later the answer may be another one.
      if (!isReady) reply.header('retry-after', 1);
      return reply.code(isReady ? 200 : 503).send({
        status: check(isReady),
        database: check(isWritable),
        ...(database_fault && { database_fault }),
        keys: check(canSign),
        revocations: check(revocationFeed.isFresh),
      });
    },
  });
}
