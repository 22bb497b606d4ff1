/** Bare Fastify: one route that answers the bytes that it is given. */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { serving } from './serving.ts';

const body = process.env['BODY'] as string;
const app = Fastify();
app.get('/', (_request, reply) => {
  reply.header('content-type', 'application/json; charset=utf-8').send(body);
});
await app.listen({ host: '127.0.0.1', port: 0 });
serving((app.server.address() as AddressInfo).port);
