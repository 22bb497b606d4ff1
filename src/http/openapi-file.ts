import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import { basePath } from './base-path.ts';

const FILE = new URL('../../openapi.yaml', import.meta.url);

const serverOf = (config: Config) => ({
  url: basePath(config) || '/',
  description: 'This server.',
});

/** The parts of the document that depend on the configuration. */
export const ownPartOf = (config: Config) => ({
  openapi: '3.1.0',
  info: {
    title: config.PRODUCT_NAME,
    version: '1',
    description: 'Knows who a user is, and says so in a signed token that lives 15 minutes.',
    license: { name: 'MIT', identifier: 'MIT' },
    contact: { name: `The people who run ${config.PRODUCT_NAME}` },
  },
  servers: [serverOf(config)],
});

/** The text of a document with the values that depend on the configuration. They are in JSON, which YAML includes. */
export function withOwnPart(yaml: string, config: Config): string {
  const { title, contact } = ownPartOf(config).info;
  const values = [
    ['info:\n  title: ', title],
    ['  contact:\n    name: ', contact.name],
    ['servers:\n  - url: ', serverOf(config).url],
  ] as const;
  return values.reduce(
    (text, [key, value]) =>
      text.replace(new RegExp(`^${key}.*$`, 'm'), () => `${key}${JSON.stringify(value)}`),
    yaml,
  );
}

/** Serves the committed document as text, so that a running service neither generates nor parses it. */
export async function registerDocument(app: FastifyInstance, config: Config): Promise<void> {
  const text = Buffer.from(withOwnPart(readFileSync(FILE, 'utf8'), config));
  app.get(
    `${basePath(config)}/openapi.yaml`,
    { config: { access: 'public' }, schema: { hide: true } },
    (_request, reply) => reply.type('application/yaml').send(text),
  );
}
